import { useServices } from '../state/services.ts'
import { useStore } from '../state/use-store.ts'
import { Button } from './button.tsx'
import './toast-list.css'

/** What has just been done or has failed; read out as it comes. */
export function ToastList() {
  const { toasts } = useServices()
  return (
    <div className="toasts" role="status" aria-live="polite">
      {useStore(toasts.state).map(({ id, kind, text }) => (
        <div key={id} className="toast" data-kind={kind}>
          <p>{text}</p>
          <Button look="quiet" aria-label="Dismiss" onClick={() => toasts.dismiss(id)}>
            ✕
          </Button>
        </div>
      ))}
    </div>
  )
}
