import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { claimPort } from '#scripts/free-port.ts'
import { catalogue } from '#shared/tools/catalogue.ts'
import { type BareBridge, bridgeProgram, startBareBridge } from '#test/support/bridge-program.ts'
import { type AnyClient, clientKinds, connectKindToProgram, type Progress } from '#test/support/client-kinds.ts'
import { type LiveStack, SLOW_MODEL, startLiveStack, until } from '#test/support/live-stack.ts'

// millwright-mcp between clients that speak over pipes and the whole stack. Its sign-in by key and the endpoint's questions to
// clients, which no tool of ours asks, are in bridge-edge.test.ts.

const REVISIONS = { v2: '2025-11-25', 'v2 of 2026-07-28': '2026-07-28', v1: '2025-11-25' }

let live: LiveStack
let tokenFile: string
beforeAll(async () => {
  // Its answers take seconds: time to give them up.
  live = await startLiveStack({ model: SLOW_MODEL, files: { 'notes.md': '# Notes\n' } })
  await live.own('a.py')
  tokenFile = join(live.repository.folder, 'token')
  writeFileSync(tokenFile, `${live.stack.token}\n`)
})
afterAll(async () => {
  rmSync(tokenFile, { force: true })
  await live?.stop()
})

const program = () => bridgeProgram(live.stack.url, {}, ['--token-file', tokenFile])
const newestJob = async () => {
  const { jobs } = await live.client.ok('list_jobs', { limit: 1 })
  return (jobs as { job_id: string; state: string }[])[0]
}
/** Waits until a job other than `before` has begun. */
const jobBegins = async (before: string | undefined): Promise<string> => {
  let id = ''
  await until(async () => {
    const job = await newestJob()
    id = job?.job_id ?? ''
    return id !== before && job?.state === 'running'
  })
  return id
}
const jobIs = (id: string, state: string) =>
  until(async () => ((await live.client.ok('get_job', { job_id: id })).state as string) === state)

describe.each(clientKinds)('a client of the kind %s, by the bridge', (kind) => {
  let client: AnyClient
  beforeAll(async () => {
    client = await connectKindToProgram(kind, program())
  })
  afterAll(() => client?.close())

  it('agrees with the endpoint on its own revision and has all that it offers', async () => {
    expect(client.protocolVersion).toBe(REVISIONS[kind])
    expect(client.instructions).toMatch(/\S/)
    expect((await client.listTools()).map(({ name }) => name)).toEqual(catalogue.map(({ name }) => name))
    expect((await client.listPrompts()).map(({ name }) => name)).toContain('delegate')
    expect(await client.readResource('millwright://files/notes.md')).toMatchObject([{ text: '# Notes\n' }])
  })

  it('gets answers and refusals as the endpoint wrote them', async () => {
    const read = await client.call('read_file', { path: 'notes.md' })
    expect(read).toMatchObject({ isError: false, structuredContent: { success: true, content: '# Notes\n' } })
    const refused = await client.call('read_file', { path: 'nothing.md' })
    expect(refused).toMatchObject({ isError: true, structuredContent: { error: { code: 'not_found' } } })
    await expect(client.call('no_such_tool', {})).rejects.toMatchObject({ code: -32602 })
    await expect(client.readResource('millwright://files/none.md')).rejects.toMatchObject({ code: -32602 })
  })

  it('hears of progress, and what it gives up ends', async () => {
    const before = (await newestJob())?.job_id
    const giveUp = new AbortController()
    const heard: Progress[] = []
    const args = { agent_id: 'a', message: `Write on, ${kind}` }
    const given = client.call('chat_with_agent', args, {
      signal: giveUp.signal,
      onprogress: (progress) => heard.push(progress),
    })
    const refused = expect(given).rejects.toThrow()
    const job = await jobBegins(before)
    await until(() => heard.length > 1)
    expect(heard.at(-1)?.message).toContain('a.py')
    giveUp.abort()
    await refused
    await jobIs(job, 'cancelled')
  })

  it('ends the job of a call when it goes away', async () => {
    const leaving = await connectKindToProgram(kind, program())
    const before = (await newestJob())?.job_id
    const given = leaving.call('chat_with_agent', { agent_id: 'a', message: 'Write on, and be left' })
    const refused = expect(given).rejects.toThrow()
    const job = await jobBegins(before)
    await leaving.close()
    await refused
    await jobIs(job, 'cancelled')
  })

  it('goes on after a restart of the functions, and repeats only what may be repeated', async () => {
    await client.listTools()
    const pid = live.stack.pids().functions
    const before = (await newestJob())?.job_id
    const chat = expect(
      client.call('chat_with_agent', { agent_id: 'a', message: 'Write on through it' }),
    ).rejects.toThrow(/Cannot tell how tools\/call ended/)
    const job = await jobBegins(before)
    process.kill(pid ?? 0, 'SIGKILL')
    const answers = await Promise.all([
      client.call('list_agents', {}),
      client.call('read_file', { path: 'notes.md' }),
      client.listTools(),
    ])
    expect(answers[0]).toMatchObject({ isError: false })
    expect(answers[1]).toMatchObject({ structuredContent: { content: '# Notes\n' } })
    await chat
    expect(live.stack.pids().functions).not.toBe(pid)
    // The task itself was not lost, nor begun twice.
    expect((await newestJob())?.job_id).toBe(job)
    await live.client.ok('cancel_job', { job_id: job })
  })
})

describe('the program', () => {
  let bridge: BareBridge | undefined
  afterEach(() => bridge?.kill())

  const initialize = {
    jsonrpc: '2.0',
    id: 'hello',
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bare', version: '1' } },
  }

  it('writes the protocol and nothing else to its standard output, and ends with its input', async () => {
    bridge = startBareBridge(program())
    bridge.send(initialize)
    expect((await bridge.next(({ id }) => id === 'hello')).result).toMatchObject({ protocolVersion: '2025-11-25' })
    bridge.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
    bridge.send({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'list_agents', arguments: {} } })
    await bridge.next(({ id }) => id === 2)
    expect(await bridge.end()).toBe(0)
    expect(bridge.lines.map((line) => (JSON.parse(line) as { jsonrpc: string }).jsonrpc)).toEqual(['2.0', '2.0'])
    expect(bridge.log()).toContain(live.stack.url)
    expect(bridge.log()).not.toContain(live.stack.token)
  })

  it('says that its token is not accepted, and takes a new one from the file', async () => {
    const file = join(live.repository.folder, 'other-token')
    writeFileSync(file, 'mw_wrong')
    bridge = startBareBridge(bridgeProgram(live.stack.url, {}, ['--token-file', file]))
    bridge.send(initialize)
    const { error } = await bridge.next(({ id }) => id === 'hello')
    expect(error).toMatchObject({ code: -32000, data: { code: 'unauthenticated' } })
    writeFileSync(file, live.stack.token)
    bridge.send({ ...initialize, id: 'again' })
    expect((await bridge.next(({ id }) => id === 'again')).result).toMatchObject({ protocolVersion: '2025-11-25' })
  })

  it('waits for an endpoint that is not there yet no longer than clients wait, and says what is missing', async () => {
    const nowhere = `http://127.0.0.1:${await claimPort(0)}`
    bridge = startBareBridge(bridgeProgram(`${nowhere}/mcp`, { MILLWRIGHT_TOKEN: 'mw_x' }))
    bridge.send(initialize)
    const { error } = await bridge.next(({ id }) => id === 'hello')
    expect(error).toMatchObject({ code: -32000, data: { code: 'unavailable' } })
    expect(error?.message).toContain(`Cannot reach ${nowhere}: ECONNREFUSED`)
    expect(await bridge.end()).toBe(0)
  })

  it('does not start without a credential, and says so to people only', async () => {
    bridge = startBareBridge(bridgeProgram(live.stack.url, {}))
    expect(await bridge.end()).toBe(2)
    expect(bridge.lines).toEqual([])
    expect(bridge.log()).toContain('No credential')
  })
})
