import { execFile, spawn } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { projectFolder } from '#scripts/setup/paths.mjs'
import { processEnded } from '#scripts/test-support/process-ended.ts'
import { type Send, signInOverHttp } from '#test/support/http-sign-in.ts'
import { connectClient } from '#test/support/mcp.ts'
import { createTempRepository } from '#test/support/temp-repository.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Processes whose command line names a text. */
function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && commandLine(name).includes(text))
    .map(Number)
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

describe('npm run edge', () => {
  it('serves a repository through workerd by wrangler, takes keys, keeps its secrets to itself, and leaves nothing behind', async () => {
    const repository = await createTempRepository({ 'a.py': 'x = 1\n' })
    cleanups.push(repository.remove)
    const data = join(repository.folder, 'data')
    const flags = ['--repo', repository.root, '--data', data, '--model', 'demo', '--threads', '1', '--port', '0']
    const command = spawn(process.execPath, [join(projectFolder, 'scripts', 'edge.ts'), ...flags])
    cleanups.push(() => command.kill('SIGKILL'))
    let told = ''
    for (const stream of [command.stdout, command.stderr]) {
      stream.on('data', (chunk) => {
        told += String(chunk)
      })
    }
    await expect.poll(() => told, { timeout: 120_000, interval: 50 }).toContain('Millwright is ready')
    const url = /MCP URL +(\S+)/.exec(told)?.[1] ?? ''
    const token = readFileSync(join(data, 'edge', 'token'), 'utf8').trim()

    const client = await connectClient(url, token)
    expect(await client.ok('read_file', { path: 'a.py' })).toMatchObject({ content: 'x = 1\n' })
    await client.ok('create_agent', { agent_id: 'a', name: 'A', managed_file: 'a.py', system_prompt: '' })
    expect(await client.ok('list_agents', {})).toMatchObject({ total: 1 })
    await client.close()

    // Keys come in over HTTP, with the token of the data folder.
    const origin = new URL(url).origin
    const environment = { ...process.env, XDG_CONFIG_HOME: join(data, 'config') }
    const flagsOfKeys = ['--edge', origin, '--repo', repository.root, '--data', data]
    const keys = (...words: string[]) =>
      promisify(execFile)(process.execPath, [join(projectFolder, 'scripts', 'keys.ts'), ...words, ...flagsOfKeys], {
        env: environment,
      })
    // The network of this machine is not looked around in for anybody.
    const metadata = await (await fetch(`${origin}/.well-known/oauth-authorization-server`)).text()
    expect(JSON.parse(metadata)).toMatchObject({ issuer: origin })
    expect(JSON.parse(metadata).client_id_metadata_document_supported).not.toBe(true)
    expect((await keys('--user', 'Anna')).stdout).toMatch(/Workspace +\S+, as admin/)
    const privateKey = createPrivateKey(readFileSync(join(data, 'config', 'millwright', 'keys', 'anna.pem')))
    const { stdout: listed } = await keys('list')
    const [fingerprint = ''] = /SHA256:[\w-]{43}/.exec(listed) ?? []
    const send: Send = (path, init) => fetch(`${origin}${path}`, init)
    const session = await signInOverHttp(send, { fingerprint, privateKey })
    const anna = await connectClient(url, session.access_token)
    expect(await anna.ok('list_agents', {})).toMatchObject({ total: 1 })
    await anna.close()

    const secrets = join(data, 'edge', 'workerd.env')
    expect(statSync(secrets).mode & 0o777).toBe(0o600)
    const password = /edge:([^@]+)@/.exec(readFileSync(secrets, 'utf8'))?.[1] ?? ''
    expect(password.length).toBeGreaterThan(20)
    expect(processesWith(token)).toEqual([])
    expect(processesWith(password)).toEqual([])
    expect(told).not.toContain(password)

    const processes = processesWith(data)
    expect(processes.length).toBeGreaterThan(2)
    const ended = once(command, 'exit')
    command.kill('SIGINT')
    expect(await ended).toEqual([0, null])
    await Promise.all(processes.map(processEnded))
  }, 180_000)
})
