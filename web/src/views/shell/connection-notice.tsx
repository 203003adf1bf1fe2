import { useServices } from '../../state/services.ts'
import { useStore } from '../../state/use-store.ts'

const titles = {
  offline: 'Offline',
  server_unreachable: 'Server unreachable',
  server_failing: 'Server not well',
  worker_offline: 'Worker gone',
  model_unavailable: 'Model not ready',
} as const

const toSentence = (detail: string): string => (/[?!]$/.test(detail) ? detail : `${detail.replace(/[.…]$/, '')}.`)

/** What keeps the page from working, while something does. Goes away by itself. */
export function ConnectionNotice() {
  const { connection } = useServices()
  const { condition, detail } = useStore(connection.state)
  const isShown = condition !== 'ok' && condition !== 'checking'
  return (
    <div role="status" className="notices">
      {isShown && (
        <p className="notice" data-condition={condition}>
          <strong>{titles[condition]}.</strong> {toSentence(detail)} The page goes on by itself as soon as it can.
        </p>
      )}
    </div>
  )
}
