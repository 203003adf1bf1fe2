import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect, it } from 'vitest'
import { serveEventSockets } from './event-sockets.ts'

it('keeps no connection of a client that was refused, though the client keeps its own', async () => {
  const server = createServer()
  const refuse = () => Promise.resolve(new Response('no', { status: 401 }))
  const end = serveEventSockets(server, refuse, () => 'unknown')
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const openOnServer = () =>
    new Promise<number>((resolve, reject) =>
      server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    )
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let answer = ''
  client.on('data', (data) => {
    answer += String(data)
  })
  client.on('error', () => undefined)
  client.write('GET /events HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  try {
    await expect.poll(() => answer, { timeout: 10_000 }).toMatch(/^HTTP\/1\.1 401 [\s\S]*\r\n\r\nno$/)
    await expect.poll(openOnServer, { timeout: 10_000 }).toBe(0)
    expect(client.writableEnded).toBe(false)
  } finally {
    client.destroy()
    end()
    server.close()
  }
})
