import { connectClient, type Fields, type ToolAnswer } from '#test/support/mcp.ts'

/** A call as it was made: what it took from the client's side, and how it ended. */
export interface MeasuredCall {
  readonly tool: string
  readonly durationMs: number
  readonly success: boolean
  /** Of a refusal; null for one without a code, as for arguments that the SDK itself refuses. */
  readonly code: string | null
  /** Made to weigh on the server: not part of the average response. */
  readonly isLoad: boolean
}

/** The official MCP client, which measures what it does. */
export interface MeasuredClient {
  readonly calls: readonly MeasuredCall[]
  listToolNames(): Promise<string[]>
  /** A refusal is an answer. Rejects where there is none. */
  call(tool: string, args: Fields, options?: { readonly isLoad?: boolean }): Promise<ToolAnswer>
  /** Rejects with what the server said where it refused. */
  ok(tool: string, args: Fields, options?: { readonly isLoad?: boolean }): Promise<Fields>
  /** As `ok`, for a tool that runs as a job: follows it to its end, however long that takes. */
  job(tool: string, args: Fields): Promise<Fields>
  close(): Promise<void>
}

/** A tool's refusal where it should have done its work. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly tool: string
  readonly code: string

  constructor(tool: string, code: string, message: string) {
    super(`${tool} was refused: ${code}: ${message}`)
    this.tool = tool
    this.code = code
  }
}

const WAIT_SECONDS = 40

export async function connectMeasured(url: string, token: string): Promise<MeasuredClient> {
  const client = await connectClient(url, token)
  const calls: MeasuredCall[] = []
  const { tools } = await client.client.listTools()
  // What deletes or replaces asks whether that is meant. It is.
  const asking = new Set(
    tools.filter((tool) => 'confirm' in (tool.inputSchema.properties ?? {})).map(({ name }) => name),
  )

  const call: MeasuredClient['call'] = async (tool, args, { isLoad = false } = {}) => {
    const begun = performance.now()
    const answer = await client.call(tool, asking.has(tool) ? { confirm: true, ...args } : args)
    const code = answer.error?.code ?? null
    calls.push({ tool, durationMs: performance.now() - begun, success: answer.success, code, isLoad })
    return answer
  }

  const ok: MeasuredClient['ok'] = async (tool, args, options) => {
    const { success, fields, error, text } = await call(tool, args, options)
    if (!success) throw new Refusal(tool, error?.code ?? 'no code', error?.message ?? text)
    return fields
  }

  return {
    calls,
    call,
    ok,
    listToolNames: async () => (await client.client.listTools()).tools.map(({ name }) => name),
    async job(tool, args) {
      const first = await ok(tool, { wait_seconds: WAIT_SECONDS, ...args })
      if (first.state === 'succeeded') return first
      for (;;) {
        const job_id = String(first.job_id)
        const { state, result, error } = await ok('get_job', { job_id, wait_seconds: WAIT_SECONDS })
        if (state === 'succeeded') return result as Fields
        if (state !== 'queued' && state !== 'running') {
          const { code = 'no code', message = `The job is ${state}` } = (error ?? {}) as {
            code?: string
            message?: string
          }
          throw new Refusal(tool, code, message)
        }
      }
    },
    close: () => client.close(),
  }
}
