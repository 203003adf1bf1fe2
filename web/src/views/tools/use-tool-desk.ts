import type { Services } from '../../state/services.ts'
import { useServices } from '../../state/services.ts'
import { createToolDesk, type ToolDesk } from './tool-desk.ts'

const desks = new WeakMap<Services, ToolDesk>()

/** The one desk of the page, made when it is first looked at. Whoever signs in next finds it empty. */
export function useToolDesk(): ToolDesk {
  const services = useServices()
  const known = desks.get(services)
  if (known !== undefined) return known
  const { tools, queries, session } = services
  const desk = createToolDesk({
    tools,
    now: () => Date.now(),
    // Whatever a tool may have changed is asked for again by those who show it.
    onEnd: () => void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== TOOLS_LIST }),
  })
  session.state.subscribe(() => {
    const state = session.state.get()
    if (state.kind === 'signed_out' && state.reason === 'left') desk.clear()
  })
  desks.set(services, desk)
  return desk
}

/** The query of the tools themselves: those change with the server only. */
export const TOOLS_LIST = 'tools/list'
