import { QueryClient, queryOptions } from '@tanstack/react-query'
import { AppError } from '#shared/errors.ts'
import type { CallableTool, ToolArguments, Tools } from './tools.ts'

/** Asked again this often by views on the screen, in case the server sends no events. */
export const POLL_INTERVAL_MS = 20_000
const RETRIES_MAX = 2
/** What may be otherwise in a moment; all other refusals stay refusals. */
const transient = new Set(['unavailable', 'timeout', 'busy', 'rate_limited'])

export const isTransient = (error: unknown): boolean => error instanceof AppError && transient.has(error.code)

/** Reads are kept by tool and arguments: `[name, args]`. */
export const createQueryClient = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5000,
        retry: (failures, error) => failures < RETRIES_MAX && isTransient(error),
        // Whether the server answers is known here and not by the network card.
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  })

export const toolKey = <Tool extends CallableTool>(tool: Tool, args?: ToolArguments<Tool>) =>
  args === undefined ? ([tool.name] as const) : ([tool.name, args] as const)

/** A read by a tool, for `useQuery`. */
export const toolQuery = <Tool extends CallableTool>(tools: Tools, tool: Tool, args: ToolArguments<Tool>) =>
  queryOptions({
    queryKey: toolKey(tool, args),
    queryFn: ({ signal }) => tools.call(tool, args, { signal }),
    refetchInterval: POLL_INTERVAL_MS,
  })
