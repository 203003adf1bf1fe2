import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type KeyedEdge, startKeyedEdge } from '#test/support/keyed-edge.ts'
import { projectFolder } from '../setup/paths.mjs'
import { createHttpAdministration, parseEdgeUrl } from './http-administration.ts'

// What goes wrong on the way to an edge. What goes right is in test/workerd, where there is such an edge.

let onNode: KeyedEdge
beforeAll(async () => {
  onNode = await startKeyedEdge()
})
afterAll(() => onNode?.stop())

describe('the address of an edge', () => {
  it.each([
    ['https://mill.example.com', { origin: 'https://mill.example.com', isHere: false }],
    ['https://mill.example.com/', { origin: 'https://mill.example.com', isHere: false }],
    ['http://127.0.0.1:8000', { origin: 'http://127.0.0.1:8000', isHere: true }],
    ['http://[::1]:8000', { origin: 'http://[::1]:8000', isHere: true }],
  ])('may be %s', (text, expected) => {
    expect(parseEdgeUrl(text)).toEqual(expected)
  })

  it.each(['http://mill.example.com', 'http://127.0.0.1.evil.example', 'ftp://127.0.0.1', '', 'https://a/?b'])(
    'may not be "%s"',
    (text) => {
      expect(() => parseEdgeUrl(text)).toThrow('--edge must be')
    },
  )
})

describe('keys over HTTP', () => {
  it('says that an edge on Node takes none', async () => {
    const { url, token } = onNode.edge
    await expect(createHttpAdministration(url, token).list()).rejects.toMatchObject({
      code: 'not_found',
      message: `The edge at ${url} takes no keys over HTTP`,
    })
  })

  it('follows no redirect, which could lead the token elsewhere', async () => {
    const asked: (string | undefined)[] = []
    const server = createServer((request, response) => {
      asked.push(request.url)
      response.writeHead(307, { location: '/elsewhere' }).end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const refused = createHttpAdministration(`http://127.0.0.1:${port}`, 'mw_x').revoke({ id: 't_1' })
    await expect(refused).rejects.toMatchObject({ code: 'unavailable' })
    expect(asked).toEqual(['/auth/administration/revoke'])
    server.close()
  })

  it('wants the token of a hosted edge from the environment', async () => {
    const { MILLWRIGHT_TOKEN: _left, ...environment } = process.env
    const script = `${projectFolder}/scripts/keys.ts`
    const command = promisify(execFile)(process.execPath, [script, 'list', '--edge', 'https://mill.example.com'], {
      env: environment,
    })
    await expect(command).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('MILLWRIGHT_TOKEN') })
  })
})
