import { useEffect, useEffectEvent } from 'react'
import type { ServerEvent } from '../api/events.ts'
import { useServices } from './services.ts'

/** Hears of changes of these addresses while the component is shown; see `Events`. Usually to invalidate queries. */
export function useEvents(uris: readonly string[], onEvent: (event: ServerEvent) => void): void {
  const { events } = useServices()
  const heard = useEffectEvent(onEvent)
  const wanted = uris.join('\n')
  useEffect(() => events.subscribe(wanted === '' ? [] : wanted.split('\n'), (event) => heard(event)), [events, wanted])
}
