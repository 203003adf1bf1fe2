import { Agent, type OutgoingHttpHeaders, request } from 'node:http'

export interface PostRequest {
  readonly url: URL
  readonly headers: OutgoingHttpHeaders
  readonly body: string
}

export interface KeepAliveClient {
  /** The body of the answer. Rejects for any status but 200, with the start of the answer in the message. */
  post(call: PostRequest): Promise<Buffer>
  close(): void
}

/** The least that speaks HTTP from Node, over connections that stay open: what it costs is the same for all it calls. */
export function createKeepAliveClient(connectionsMax: number): KeepAliveClient {
  const agent = new Agent({ keepAlive: true, maxSockets: connectionsMax })
  return {
    post: ({ url, headers, body }) =>
      new Promise((resolve, reject) => {
        const call = request(
          {
            agent,
            method: 'POST',
            host: url.hostname,
            port: url.port,
            path: url.pathname,
            headers: { ...headers, 'content-length': Buffer.byteLength(body) },
          },
          (response) => {
            const chunks: Buffer[] = []
            response.on('data', (chunk: Buffer) => chunks.push(chunk))
            response.on('error', reject)
            response.on('end', () => {
              const answer = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
              if (response.statusCode === 200) resolve(answer)
              else reject(new Error(`HTTP status ${response.statusCode}: ${answer.toString('utf8', 0, 500)}`))
            })
          },
        )
        call.on('error', reject)
        call.end(body)
      }),
    close: () => agent.destroy(),
  }
}
