import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'

/** A request whose `Host` is not where it is sent, which `fetch` does not let one say. On a connection of its own. */
export async function requestAs(
  host: string,
  url: URL,
  init: { readonly method: string; readonly headers: Record<string, string>; readonly body?: string },
): Promise<Response> {
  const asking = request(url, { method: init.method, headers: { ...init.headers, host }, agent: false })
  asking.end(init.body)
  const [answer] = (await once(asking, 'response')) as [IncomingMessage]
  const body = await text(answer)
  const headers = Object.entries(answer.headersDistinct).map(([name, values]) => [name, values?.join(', ') ?? ''])
  const status = answer.statusCode ?? 0
  return new Response(status === 204 ? null : body, { status, headers: Object.fromEntries(headers) })
}
