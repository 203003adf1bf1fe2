import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectNats as connectEdge } from '#functions/adapters/node/nats-connect.ts'
import { connectWorker } from '#gpu-worker/adapters/nats-connection.ts'
import { findNatsServer } from './nats-binary.ts'
import { makeServerCertificate } from './nats-certificate.ts'
import { type NatsServer, startNatsServer } from './nats-server.ts'

let folder: string
let server: NatsServer
let authorityFile: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-nats-tls-'))
  server = await startNatsServer({
    binary: await findNatsServer(),
    dataFolder: join(folder, 'nats'),
    host: '0.0.0.0',
    webSocketPort: 0,
    tls: { names: ['mill.example'] },
  })
  authorityFile = server.authorityFile ?? ''
})

afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const signal = new AbortController().signal

/** As the functions on Node are told where NATS is. */
const edgeServer = (url: string, trusted = authorityFile) => {
  const { protocol, host, username, password } = new URL(url)
  return {
    server: `${protocol}//${host}`,
    user: username,
    password,
    ...(trusted === '' ? {} : { authorityFile: trusted }),
  }
}

describe('a nats-server that other machines reach', () => {
  it('speaks to nobody without TLS', async () => {
    expect(server.url('edge')).toMatch(/^tls:/)
    expect(server.webSocketUrl('edge')).toMatch(/^wss:/)
    const socket = connectSocket(server.port, '127.0.0.1')
    const { promise, resolve } = Promise.withResolvers<string>()
    let heard = ''
    socket.on('data', (bytes) => {
      heard += String(bytes)
      // A client with the right password, on a connection that anybody on the way can read.
      if (heard.startsWith('INFO')) {
        const { username, password } = new URL(server.url('edge'))
        socket.write(`CONNECT {"user":"${username}","pass":"${password}","verbose":true}\r\nPING\r\n`)
      }
    })
    socket.on('error', () => resolve(heard))
    socket.on('close', () => resolve(heard))
    const said = await promise
    expect(said).toContain('"tls_required":true')
    expect(said).not.toContain('PONG')
    expect(said).not.toContain('+OK')
  })

  it('keeps its keys to its owner', () => {
    for (const name of ['authority-key.pem', 'server-key.pem']) {
      expect(statSync(join(folder, 'nats', name)).mode & 0o777).toBe(0o600)
    }
  })

  // TCP first: the library keeps the kind of a process's last connection.
  it.each(['url', 'webSocketUrl'] as const)('takes who knows its authority, by its %s', async (kind) => {
    const edge = await connectEdge(edgeServer(server[kind]('edge')))
    const authority = readFileSync(authorityFile, 'utf8')
    const worker = await connectWorker({ url: server[kind]('worker'), authority }, 'worker', signal)
    try {
      worker.subscribe('mw.ledger.call.files', { callback: (_error, message) => void message.respond('here') })
      await worker.flush()
      expect((await edge.request('mw.ledger.call.files', 'there?')).string()).toBe('here')
    } finally {
      await Promise.all([edge.close(), worker.close()])
    }
  })

  it.each(['url', 'webSocketUrl'] as const)('is refused by who does not, by its %s', async (kind) => {
    const strange = makeServerCertificate(join(folder), ['localhost']).authorityFile ?? ''
    for (const trusted of ['', strange]) {
      await expect(connectEdge(edgeServer(server[kind]('edge'), trusted))).rejects.toThrow(/certificate|issuer/)
      const asWorker = {
        url: server[kind]('worker'),
        ...(trusted === '' ? {} : { authority: readFileSync(trusted, 'utf8') }),
      }
      await expect(connectWorker(asWorker, 'worker', signal)).rejects.toMatchObject({ code: 'forbidden' })
    }
  })

  it('is refused under a name that its certificate does not have', async () => {
    const url = server.webSocketUrl('worker').replace('127.0.0.1', '127.0.0.2')
    const authority = readFileSync(authorityFile, 'utf8')
    await expect(connectWorker({ url, authority }, 'worker', signal)).rejects.toMatchObject({ code: 'forbidden' })
  })

  it('keeps its authority over a new start', async () => {
    const before = readFileSync(authorityFile, 'utf8')
    makeServerCertificate(join(folder, 'nats'), ['localhost'])
    expect(readFileSync(authorityFile, 'utf8')).toBe(before)
  })
})
