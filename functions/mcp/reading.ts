import { ProtocolError, ProtocolErrorCode, type Server, type ServerContext } from '@modelcontextprotocol/server'
import type { Caller } from '#shared/protocol/envelope.ts'
import { toRefusal } from '../http/errors.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import type { CallContext } from '../tools/call-context.ts'
import type { ToolRunner } from './call-tool.ts'
import { createCompleter } from './completion.ts'
import { type JsonRpcMessage, paramsOf } from './message.ts'
import { promptsWith, toPromptList, writePrompt } from './prompts.ts'
import { toProtocolError } from './protocol-refusal.ts'
import { checkTraceparent, refuseRequestState } from './request-checks.ts'
import { createResources } from './resources.ts'
import type { Toolset } from './toolset.ts'

/** Who asks, with which tools, and the message as it was sent. */
interface ReadingScope {
  readonly caller: Caller
  readonly toolset: Toolset
  readonly requestId: string
  readonly message: JsonRpcMessage
}

/**
 * What the protocol has beside tools: resources, prompts, completion. Gives a server the handler of a method, and none for one
 * of another kind. `scopeOf` says who asks with a message.
 */
export function createReading(
  ports: EdgePorts,
  run: ToolRunner,
): (server: Server, method: unknown, scopeOf: (context: ServerContext) => ReadingScope) => void {
  const resources = createResources(ports, run)
  const complete = createCompleter(ports, run)

  /** Does the work as this caller, and turns a refusal into an error of the protocol. */
  async function refusing<T>(
    scope: ReadingScope,
    context: ServerContext,
    work: (call: CallContext) => Promise<T>,
    uri?: string,
  ): Promise<T> {
    refuseRequestState(context)
    checkTraceparent(context)
    const { caller, requestId } = scope
    try {
      return await work({ caller, requestId, signal: context.mcpReq.signal, callKey: null, onProgress: null })
    } catch (error) {
      throw toProtocolError(toRefusal(error, requestId, ports.log), uri)
    }
  }

  return (server, method, scopeOf) => {
    switch (method) {
      case 'resources/list':
        server.setRequestHandler('resources/list', ({ params: page }, context) =>
          refusing(scopeOf(context), context, (call) => resources.list(page?.cursor, call)),
        )
        break
      case 'resources/templates/list':
        server.setRequestHandler('resources/templates/list', () => resources.templates)
        break
      case 'resources/read':
        server.setRequestHandler('resources/read', ({ params: { uri } }, context) =>
          refusing(scopeOf(context), context, (call) => resources.read(uri, call), uri),
        )
        break
      case 'prompts/list':
        server.setRequestHandler('prompts/list', (_request, context) =>
          toPromptList(promptsWith(scopeOf(context).toolset.names)),
        )
        break
      case 'prompts/get':
        server.setRequestHandler('prompts/get', ({ params: { name } }, context) => {
          const scope = scopeOf(context)
          const prompt = promptsWith(scope.toolset.names).find((each) => each.name === name)
          if (prompt === undefined) {
            throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown prompt: ${name.slice(0, 64)}`)
          }
          // As they were sent, as with a tool's arguments.
          return refusing(scope, context, (call) =>
            writePrompt(run, prompt, paramsOf(scope.message).arguments ?? {}, call),
          )
        })
        break
      case 'completion/complete':
        server.setRequestHandler('completion/complete', (_request, context) =>
          refusing(scopeOf(context), context, (call) => complete(paramsOf(scopeOf(context).message), call)),
        )
    }
  }
}
