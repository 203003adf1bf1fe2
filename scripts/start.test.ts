import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { claimPort } from './free-port.ts'
import { endLeftovers, recordProcesses } from './leftovers.ts'
import { chooseRepository } from './repository-folder.ts'
import { startStack } from './stack.ts'
import { acquireStackLock } from './stack-lock.ts'
import { defaultDataFolder, parseStartOptions } from './start-options.ts'
import { isAlive, processEnded } from './test-support/process-ended.ts'

let folder: string
let repository: string

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'millwright-start-')))
  repository = join(folder, 'ledger')
  mkdirSync(join(repository, 'src'), { recursive: true })
  execFileSync('git', ['init', '-q', repository])
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the command line', () => {
  it('has a default for everything', () => {
    expect(parseStartOptions([], folder)).toEqual({
      help: false,
      repository: undefined,
      models: [],
      port: 8000,
      dataFolder: undefined,
      threads: undefined,
      slots: undefined,
    })
  })

  it('takes paths from where the person stands', () => {
    writeFileSync(join(folder, 'small.gguf'), '')
    const options = parseStartOptions(['--data', 'state', '--model', 'small.gguf', '--port', '0'], folder)
    expect(options).toMatchObject({ dataFolder: join(folder, 'state'), models: [join(folder, 'small.gguf')], port: 0 })
    expect(parseStartOptions(['--slots', '2'], folder).slots).toBe(2)
  })

  it('leaves names and addresses of models as they are', () => {
    const server = 'openai:http://127.0.0.1:8080/v1?key_from=KEY#qwen'
    for (const model of ['demo', 'hf:Qwen/Qwen2.5-7B-Instruct-GGUF:Q4_K_M', server, `fast=${server}`]) {
      expect(parseStartOptions(['--model', model], folder).models).toEqual([model])
    }
  })

  it('takes several models in their order, with paths behind names too', () => {
    writeFileSync(join(folder, 'small.gguf'), '')
    const { models } = parseStartOptions(['--model', 'demo', '--model', 'mine=small.gguf'], folder)
    expect(models).toEqual(['demo', `mine=${join(folder, 'small.gguf')}`])
    const hashed = parseStartOptions(['--model', 'mine=small.gguf#sha256=abc', '--model', 'demo#sha256=abc'], folder)
    expect(hashed.models).toEqual([`mine=${join(folder, 'small.gguf')}#sha256=abc`, 'demo#sha256=abc'])
  })

  it.each([
    [['--prot', '8000'], /--prot/],
    [['extra'], /extra/],
    [['--port', '80a'], /--port must be a whole number from 0 to 65535, not "80a"/],
    [['--port', '65536'], /--port/],
    [['--port=-1'], /--port/],
    [['--threads', '0'], /--threads/],
    [['--slots', '65'], /--slots must be a whole number from 1 to 64, not "65"/],
    [['--repo'], /--repo/],
    [['--repo', ''], /--repo needs a value/],
    [['--model', './missing.gguf'], /--model: there is no file/],
    [['--model', 'demo', '--model', 'x=./missing.gguf'], /--model: there is no file/],
    [['--model', 'demo', '--model', ''], /--model needs a value/],
  ])('refuses %j', (argv, message) => {
    expect(() => parseStartOptions(argv, folder)).toThrow(message)
  })
})

describe('the data folder', () => {
  const system = (platform: NodeJS.Platform, env: NodeJS.ProcessEnv = {}) => ({ platform, env, home: '/home/ann' })

  it('is one per repository, below the folder of the user that the system has for this', () => {
    const path = defaultDataFolder('/src/Ledger App', system('linux'))
    expect(path).toMatch(/^\/home\/ann\/\.local\/share\/millwright\/ledger-app-[0-9a-f]{8}$/)
    expect(defaultDataFolder('/other/Ledger App', system('linux'))).not.toBe(path)
    expect(defaultDataFolder('/src/x', system('darwin'))).toContain(
      '/home/ann/Library/Application Support/millwright/x-',
    )
    expect(defaultDataFolder('/src/x', system('linux', { XDG_DATA_HOME: '/data' }))).toContain('/data/millwright/x-')
    expect(defaultDataFolder('/src/x', system('linux', { XDG_DATA_HOME: 'data' }))).toContain('/home/ann/.local')
  })

  it('is for one stack at a time, and free again when that has ended', () => {
    const lock = acquireStackLock(folder)
    expect(() => acquireStackLock(folder)).toThrow(`a stack already runs on it (process ${process.pid})`)
    lock.release()
    acquireStackLock(folder).release()
  })

  it('is free again when the process that had it was killed', async () => {
    const script = `
      import { acquireStackLock } from ${JSON.stringify(join(import.meta.dirname, 'stack-lock.ts'))}
      acquireStackLock(${JSON.stringify(folder)}); console.log('held'); setInterval(() => {}, 1000)
    `
    writeFileSync(join(folder, 'holder.ts'), script)
    const holder = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(folder, 'holder.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(holder.stdout, 'data')
    expect(() => acquireStackLock(folder)).toThrow(`process ${holder.pid}`)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    acquireStackLock(folder).release()
  })

  it('may not lie in the repository', async () => {
    const options = { repository, dataFolder: join(repository, 'data'), port: 0, log: () => undefined }
    await expect(startStack(options)).rejects.toThrow(/it lies inside the repository/)
  })
})

describe('the repository', () => {
  it('is the one that was named, as a whole', () => {
    expect(chooseRepository('ledger', folder, '/nowhere-else/..')).toEqual({ path: repository, notes: [] })
    const inside = chooseRepository('src', repository, '/')
    expect(inside.path).toBe(repository)
    expect(inside.notes.join()).toContain('serving the whole of it')
  })

  it('is the one that the person stands in', () => {
    const choice = chooseRepository(undefined, join(repository, 'src'), '/')
    expect(choice).toEqual({ path: repository, notes: [`No --repo given: serving ${repository}`] })
  })

  it("is Millwright's own only with a word about it", () => {
    const choice = chooseRepository(undefined, repository, repository)
    expect(choice.notes.join()).toMatch(/serving Millwright's own repository.*npm start -- --repo/)
  })

  it.each([
    ['missing', /does not exist/],
    ['file', /not a folder/],
    ['plain', /not in a git repository/],
    ['bare', /bare repository/],
    ['ledger/.git', /inside a \.git folder/],
  ])('is refused where it is none: %s', (given, message) => {
    writeFileSync(join(folder, 'file'), '')
    mkdirSync(join(folder, 'plain'))
    execFileSync('git', ['init', '-q', '--bare', join(folder, 'bare')])
    expect(() => chooseRepository(given, folder, '/')).toThrow(message)
  })

  it('is asked for where there is none', () => {
    mkdirSync(join(folder, 'plain'))
    expect(() => chooseRepository(undefined, join(folder, 'plain'), '/')).toThrow(/npm start -- --repo/)
  })
})

describe('the port', () => {
  it('is a free one for 0, and refused when another program has it', async () => {
    expect(await claimPort(0)).toBeGreaterThan(0)
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await expect(claimPort(port)).rejects.toThrow(`Cannot listen on port ${port}: another program has it`)
    server.close()
  })
})

describe('what a killed stack left behind', () => {
  it('is ended before the next one starts', async () => {
    const file = join(folder, 'processes.json')
    const left = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
    const pid = left.pid ?? 0
    recordProcesses(file, { worker: pid, gone: 2 ** 22 - 1 })
    const said: string[] = []
    await endLeftovers(file, (line) => said.push(line), 100)
    await processEnded(pid)
    expect(said).toEqual([`Ending worker of a stack that was killed (process ${pid})`])
  })

  it('is told from a process that came later under the same id', async () => {
    const file = join(folder, 'processes.json')
    writeFileSync(file, JSON.stringify([{ name: 'worker', pid: process.pid, started: 'long ago' }]))
    await endLeftovers(file, () => expect.unreachable(), 100)
    expect(isAlive(process.pid)).toBe(true)
  })
})
