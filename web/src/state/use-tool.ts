import { useQuery } from '@tanstack/react-query'
import { toolQuery } from '../api/queries.ts'
import type { CallableTool, ToolArguments } from '../api/tools.ts'
import { useServices } from './services.ts'
import { useStore } from './use-store.ts'

export const useSignedIn = (): boolean => useStore(useServices().session.state).kind === 'signed_in'

/** What a reading tool answers, kept fresh while the component is shown. Asks nothing while nobody is signed in. */
export function useTool<Tool extends CallableTool>(tool: Tool, args: ToolArguments<Tool>) {
  const { tools } = useServices()
  return useQuery({ ...toolQuery(tools, tool, args), enabled: useSignedIn() })
}
