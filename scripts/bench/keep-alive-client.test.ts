import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeepAliveClient } from './keep-alive-client.ts'

describe('createKeepAliveClient', () => {
  let connections = 0
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      response.statusCode = request.url === '/refused' ? 403 : 200
      response.end(`${request.headers.greeting} ${Buffer.concat(chunks).toString()}`)
    })
  })
  server.on('connection', () => connections++)
  const client = createKeepAliveClient(2)
  const post = (path: string, body = '') => {
    const { port } = server.address() as AddressInfo
    return client.post({ url: new URL(`http://127.0.0.1:${port}${path}`), headers: { greeting: 'Hello' }, body })
  }

  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterAll(() => {
    client.close()
    server.close()
  })

  it('sends headers and body and gives the body of the answer', async () => {
    expect((await post('/', 'wörld')).toString()).toBe('Hello wörld')
  })

  it('keeps its connections, and opens no more than it may', async () => {
    for (let index = 0; index < 5; index++) await Promise.all([post('/'), post('/'), post('/'), post('/')])
    expect(connections).toBe(2)
  })

  it('rejects an answer that is none, with what it says', async () => {
    await expect(post('/refused', 'you')).rejects.toThrow('HTTP status 403: Hello you')
  })
})
