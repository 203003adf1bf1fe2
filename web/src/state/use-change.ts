import { useMutation } from '@tanstack/react-query'
import type { CallableTool, ToolArguments, ToolResult } from '../api/tools.ts'
import { useServices } from './services.ts'

export interface ChangeOptions<Tool extends CallableTool> {
  /** What is told of it when it is done. */
  readonly done: (result: ToolResult<Tool>) => string
  /** Tools whose answers are other ones now. */
  readonly outdates: readonly CallableTool[]
  readonly onDone?: () => void
}

/** A call that changes something. Its refusal is in `error`, for the place where the person has asked. */
export function useChange<Tool extends CallableTool>(tool: Tool, { done, outdates, onDone }: ChangeOptions<Tool>) {
  const { tools, queries, toasts } = useServices()
  return useMutation({
    mutationFn: (args: ToolArguments<Tool>) => tools.call(tool, args),
    onSuccess: async (result: ToolResult<Tool>) => {
      toasts.show('done', done(result))
      onDone?.()
      await Promise.all(outdates.map(({ name }) => queries.invalidateQueries({ queryKey: [name] })))
    },
  })
}
