import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Call } from '../rounds.ts'

/** The official filesystem server, over a pipe as it is meant to be used. */
export interface FilesystemServer {
  /** Reads a file of the folder, to be timed. Any number of these calls may be under way. */
  timed(path: string): Call
  stop(): Promise<unknown>
}

const SUCCESS = '"structuredContent":{"content":"'

/** Starts it for one folder; resolves when it has been greeted. It speaks 2025-11-25 only. */
export async function startFilesystemServer(program: string, root: string): Promise<FilesystemServer> {
  const child = spawn(process.execPath, [program, root], { stdio: ['pipe', 'pipe', 'ignore'] })
  const exited = once(child, 'exit')
  const waiting = new Map<number, PromiseWithResolvers<string>>()
  void exited.then(() => {
    for (const { reject } of waiting.values()) reject(new Error('The filesystem server has ended'))
  })
  // Lines are looked at no closer than they must be: the client's cost is not what is compared.
  createInterface({ input: child.stdout }).on('line', (line) => {
    const id = Number(/"id":(\d+)[,}]/.exec(line.length > 200 ? line.slice(-40) : line)?.[1])
    waiting.get(id)?.resolve(line)
    waiting.delete(id)
  })
  let lastId = 0
  const ask = (method: string, params: Record<string, unknown>): Promise<string> => {
    const id = ++lastId
    const answer = Promise.withResolvers<string>()
    waiting.set(id, answer)
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    return answer.promise
  }
  await ask('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'millwright-bench', version: '1.0.0' },
  })
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`)
  return {
    timed: (path) => {
      const params = { name: 'read_text_file', arguments: { path: join(root, path) } }
      return async () => {
        const line = await ask('tools/call', params)
        if (!line.includes(SUCCESS)) throw new Error(`The filesystem server refused: ${line.slice(0, 500)}`)
      }
    },
    async stop() {
      child.stdin.end()
      child.kill('SIGTERM')
      await exited
    },
  }
}
