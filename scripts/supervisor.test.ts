import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createNodeService } from './node-service.ts'
import { createSupervisor, type Supervisor } from './supervisor.ts'
import { isAlive, processEnded } from './test-support/process-ended.ts'

const backoff = { firstMs: 10, maxMs: 80, healthyMs: 60_000 }
let folder: string
let lines: string[]
let supervisor: Supervisor | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-supervisor-'))
  lines = []
})

afterEach(async () => {
  await supervisor?.stop()
  supervisor = undefined
  rmSync(folder, { recursive: true, force: true })
})

const log = (line: string) => void lines.push(line)

/** A service whose program is `source`; `journal(text)` in it adds a line to the file that `journal()` here reads. */
function fixture(name: string, source: string, options: { readyTimeoutMs?: number; stopGraceMs?: number } = {}) {
  const file = join(folder, `${name}.mjs`)
  const preamble = `
    import { appendFileSync } from 'node:fs'
    import { spawn } from 'node:child_process'
    const journal = (text) => appendFileSync(process.env.JOURNAL, '${name} ' + text + '\\n')
    const ready = () => process.send({ type: 'ready' })
    setInterval(() => {}, 1000)
  `
  writeFileSync(file, preamble + source)
  return createNodeService({ name, file, environment: () => ({ JOURNAL: join(folder, 'journal') }), log, ...options })
}

function journal(): string[] {
  return readFileSync(join(folder, 'journal'), 'utf8').trim().split('\n')
}

// Listens before it says that it is ready: from then on it may be stopped at any moment.
const polite = `
  process.on('SIGTERM', () => { journal('stopped'); process.exit(0) })
  journal('started'); ready()
`

describe('the supervisor', () => {
  it('starts in order, waits until each is ready, and stops in reverse order', async () => {
    const slow = `
      process.on('SIGTERM', () => { journal('stopped'); process.exit(0) })
      setTimeout(() => { journal('ready'); ready() }, 100)
    `
    supervisor = createSupervisor({ services: [fixture('first', slow), fixture('second', polite)], log, backoff })
    await supervisor.start()
    const pids = Object.values(supervisor.pids())
    expect(Object.keys(supervisor.pids())).toEqual(['first', 'second'])
    await supervisor.stop()
    expect(journal()).toEqual(['first ready', 'second started', 'second stopped', 'first stopped'])
    expect(pids.filter(isAlive)).toEqual([])
  })

  it('starts again what dies, with a growing wait', async () => {
    supervisor = createSupervisor({ services: [fixture('part', polite)], log, backoff })
    await supervisor.start()
    for (let round = 0; round < 3; round++) {
      const pid = supervisor.pids().part ?? 0
      process.kill(pid, 'SIGKILL')
      await vi.waitFor(() => expect(supervisor?.pids().part ?? pid).not.toBe(pid), { timeout: 10_000 })
    }
    const waits = lines.flatMap((line) => /ended \(SIGKILL\); starting it again in (\S+) s/.exec(line)?.[1] ?? [])
    expect(waits).toEqual(['0.01', '0.02', '0.04'])
  })

  it('forgets the waits of a service that was healthy', async () => {
    supervisor = createSupervisor({ services: [fixture('part', polite)], log, backoff: { ...backoff, healthyMs: 0 } })
    await supervisor.start()
    for (let round = 0; round < 2; round++) {
      const pid = supervisor.pids().part ?? 0
      process.kill(pid, 'SIGKILL')
      await vi.waitFor(() => expect(supervisor?.pids().part ?? pid).not.toBe(pid), { timeout: 10_000 })
    }
    expect(lines.filter((line) => line.includes('again in 0.01 s'))).toHaveLength(2)
  })

  it('tries again when a service does not come back at once', async () => {
    const moody = `
      const { existsSync } = await import('node:fs')
      const tries = existsSync(process.env.JOURNAL) ? (await import('node:fs')).readFileSync(process.env.JOURNAL, 'utf8').split('\\n').length : 0
      journal('try')
      if (tries === 2) { console.error('not today'); process.exit(3) }
      ready()
    `
    supervisor = createSupervisor({ services: [fixture('moody', moody)], log, backoff })
    await supervisor.start()
    const pid = supervisor.pids().moody ?? 0
    process.kill(pid, 'SIGKILL')
    await vi.waitFor(() => expect(supervisor?.pids().moody ?? pid).not.toBe(pid), { timeout: 10_000 })
    expect(lines.join('\n')).toMatch(/Cannot start moody: it ended with exit status 3\n {2}not today; trying again/)
  })

  it('stops what it had started and says why, when one service cannot start', async () => {
    const broken = `console.error('No such repository'); process.exit(4)`
    supervisor = createSupervisor({ services: [fixture('good', polite), fixture('bad', broken)], log, backoff })
    await expect(supervisor.start()).rejects.toThrow(
      'Cannot start bad: it ended with exit status 4\n  No such repository',
    )
    expect(journal()).toEqual(['good started', 'good stopped'])
    expect(supervisor.pids()).toEqual({})
  })

  it('gives up on a service that is never ready', async () => {
    supervisor = createSupervisor({ services: [fixture('mute', '', { readyTimeoutMs: 300 })], log, backoff })
    await expect(supervisor.start()).rejects.toThrow('Cannot start mute: not ready after 0.3 s')
  })

  it('ends by force what does not react, with all that it had started', async () => {
    const deaf = `
      process.on('SIGTERM', () => {})
      const child = spawn('sleep', ['600'])
      journal(String(child.pid)); ready()
    `
    supervisor = createSupervisor({ services: [fixture('deaf', deaf, { stopGraceMs: 200 })], log, backoff })
    await supervisor.start()
    const pids = [supervisor.pids().deaf ?? 0, Number(journal()[0]?.split(' ')[1])]
    expect(pids.every(isAlive)).toBe(true)
    await supervisor.stop()
    await Promise.all(pids.map(processEnded))
  })

  it('ends the children of a service that has died', async () => {
    const parent = `const child = spawn('sleep', ['600']); journal(String(child.pid)); ready()`
    supervisor = createSupervisor({ services: [fixture('parent', parent)], log, backoff })
    await supervisor.start()
    const grandchild = Number(journal()[0]?.split(' ')[1])
    process.kill(supervisor.pids().parent ?? 0, 'SIGKILL')
    await processEnded(grandchild)
  })

  it('starts nothing again while it stops', async () => {
    supervisor = createSupervisor({
      services: [fixture('part', polite)],
      log,
      backoff: { ...backoff, firstMs: 60_000 },
    })
    await supervisor.start()
    process.kill(supervisor.pids().part ?? 0, 'SIGKILL')
    await vi.waitFor(() => expect(supervisor?.pids()).toEqual({}))
    await supervisor.stop()
    expect(journal()).toEqual(['part started'])
  })

  it('leaves nothing behind when it is killed itself, even of a child that is stuck', async () => {
    const stuck = `process.on('SIGTERM', () => {}); ready(); setTimeout(() => { for (;;); }, 50)`
    const main = join(folder, 'main.ts')
    fixture('polite', polite)
    fixture('stuck', stuck)
    writeFileSync(
      main,
      `
      import { createSupervisor } from ${JSON.stringify(join(import.meta.dirname, 'supervisor.ts'))}
      import { createNodeService } from ${JSON.stringify(join(import.meta.dirname, 'node-service.ts'))}
      const services = ['polite', 'stuck'].map((name) => createNodeService({
        name, file: ${JSON.stringify(folder)} + '/' + name + '.mjs', environment: () => ({}), log: () => {},
      }))
      const supervisor = createSupervisor({ services, log: () => {} })
      await supervisor.start()
      console.log(JSON.stringify(supervisor.pids()))
      `,
    )
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
      env: { ...process.env, JOURNAL: join(folder, 'journal') },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const line = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve))
    const pids = Object.values(JSON.parse(line)).map(Number)
    expect(pids.every(isAlive)).toBe(true)
    child.kill('SIGKILL')
    await Promise.all(pids.map(processEnded))
    expect(journal()).toContain('polite stopped')
  })
})
