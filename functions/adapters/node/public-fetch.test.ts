import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createPublicFetch, isPublicAddress } from './public-fetch.ts'

describe('public addresses', () => {
  it.each(['1.1.1.1', '93.184.216.34', '2606:4700:4700::1111', '2a00:1450:4001:830::200e'])('%s is one', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  it.each([
    '127.0.0.1',
    '127.8.8.8',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:0:7f00:1::',
    '2001:db8::1',
    'fe80::1',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    'localhost',
    '',
  ])('%s is none', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })
})

describe('fetch from an address that a stranger names', () => {
  /** Runs the work while a server listens on this machine; answers how often anything connected. */
  async function connectionsWhile(work: (port: number) => Promise<void>): Promise<number> {
    let connections = 0
    const server = createServer((socket) => {
      connections++
      socket.destroy()
    })
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
    await work(port)
    await new Promise((resolve) => server.close(resolve))
    return connections
  }

  it('connects to nothing on this machine, by whatever name', async () => {
    const loopback = [{ address: '127.0.0.1', family: 4 }]
    const resolving = createPublicFetch((_hostname, callback) => callback(null, loopback))
    const connections = await connectionsWhile(async (port) => {
      for (const url of [
        `https://127.0.0.1:${port}/c.json`,
        `https://[::ffff:127.0.0.1]:${port}/c.json`,
        `https://0x7f000001:${port}/c.json`,
        `https://2130706433:${port}/c.json`,
        `https://rebind.example:${port}/c.json`,
        `https://localhost:${port}/c.json`,
        `http://rebind.example:${port}/c.json`,
      ]) {
        await expect(resolving(url)).rejects.toThrow(/not a public one|cannot be reached/)
      }
    })
    expect(connections).toBe(0)
  })

  it('asks for the name once, so that a second answer leads nowhere else (A68)', async () => {
    let asked = 0
    const rebinding = createPublicFetch((_hostname, callback) => {
      asked++
      // The first is of a network for examples, and refused; who asked again would come to this machine.
      callback(null, [{ address: asked === 1 ? '192.0.2.1' : '127.0.0.1', family: 4 }])
    })
    const connections = await connectionsWhile(async (port) => {
      await expect(rebinding(`https://rebind.example:${port}/c.json`)).rejects.toThrow()
    })
    expect(asked).toBe(1)
    expect(connections).toBe(0)
  })

  it('is refused where one of several addresses is private', async () => {
    const mixed = createPublicFetch((_hostname, callback) =>
      callback(null, [
        { address: '1.1.1.1', family: 4 },
        { address: '10.0.0.1', family: 4 },
      ]),
    )
    await expect(mixed('https://mixed.example/c.json')).rejects.toThrow()
  })
})
