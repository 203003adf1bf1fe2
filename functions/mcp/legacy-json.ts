import {
  type McpRequestContext,
  type Server,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import type { JsonRpcMessage } from './message.ts'

/** Nobody reads it; nginx's number for a client that left. */
const CLIENT_CLOSED_REQUEST = 499

/**
 * What the handler does for a client of the older era, but as one JSON body where it would open a stream: a stream for a
 * short answer costs half as much again.
 */
export async function serveLegacyAsJson(
  factory: (context: McpRequestContext) => Server,
  request: Request,
  message: JsonRpcMessage,
): Promise<Response> {
  const server = factory({ era: 'legacy', requestInfo: request })
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true })
  await server.connect(transport)
  const gone = Promise.withResolvers<Response>()
  const onAbort = () => gone.resolve(new Response(null, { status: CLIENT_CLOSED_REQUEST }))
  request.signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([transport.handleRequest(request, { parsedBody: message }), gone.promise])
  } finally {
    request.signal.removeEventListener('abort', onAbort)
    await server.close()
  }
}
