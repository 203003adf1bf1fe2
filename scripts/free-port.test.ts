import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { claimPort } from './free-port.ts'

describe('a port of the loopback', () => {
  it('is chosen outside what the system hands out unasked', async () => {
    const chosen = await Promise.all(Array.from({ length: 50 }, () => claimPort(0)))
    expect(Math.min(...chosen)).toBeGreaterThan(1023)
    expect(Math.max(...chosen)).toBeLessThan(32_768)
    expect(new Set(chosen).size).toBeGreaterThan(40)
  })

  it('can be listened on when it is given back', async () => {
    const port = await claimPort(0)
    const server = createServer().listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    expect(await claimPort(port)).toBe(port)
  })

  it('is refused by name where another program has it', async () => {
    const server = createServer().listen(await claimPort(0), '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await expect(claimPort(port)).rejects.toThrow(`Cannot listen on port ${port}: another program has it`)
    server.close()
  })
})
