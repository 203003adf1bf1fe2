import type { JSONRPCRequest } from '@modelcontextprotocol/client'
import * as v from 'valibot'

const ToolsPage = v.object({
  tools: v.array(
    v.looseObject({
      name: v.string(),
      annotations: v.optional(v.looseObject({ readOnlyHint: v.optional(v.boolean()) })),
    }),
  ),
})
const Call = v.object({ name: v.string(), arguments: v.optional(v.record(v.string(), v.unknown()), {}) })

/**
 * Which requests may be sent again although they may have been received. All that only read may; of the calls of tools those that
 * the endpoint's own list calls read-only, and those whose `idempotency_key` makes the second one find the first.
 */
export class Repeatable {
  readonly #readOnly = new Set<string>()

  /** Looks at an answer as it passes: where it is a list of tools, it says which of them only read. */
  learn(result: unknown): void {
    const page = v.safeParse(ToolsPage, result)
    if (!page.success) return
    for (const { name, annotations } of page.output.tools) {
      if (annotations?.readOnlyHint === true) this.#readOnly.add(name)
      else this.#readOnly.delete(name)
    }
  }

  allows({ method, params }: JSONRPCRequest): boolean {
    if (method !== 'tools/call') return true
    const call = v.safeParse(Call, params)
    if (!call.success) return false
    const { name, arguments: args } = call.output
    return this.#readOnly.has(name) || typeof args.idempotency_key === 'string'
  }
}
