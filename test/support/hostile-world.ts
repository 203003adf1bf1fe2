import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Stack, startStack } from '#scripts/stack.ts'
import { writeTinyModel } from '#scripts/tiny-model.ts'
import { edgeOptions } from './edge-runtime.ts'
import { connectClient, type TestClient } from './mcp.ts'
import { createTempRepository, hashTree, type TempRepository } from './temp-repository.ts'

/** A stack on a repository with two agents, beside things that no call may reach. */
export interface HostileWorld {
  readonly repository: TempRepository
  readonly stack: Stack
  readonly client: TestClient
  /** Outside the repository: a secret and a second repository. */
  readonly out: string
  /** Exists as soon as something was run that should not have been. */
  readonly marker: string
  /** Puts this world's paths where a case says ${ROOT}, ${OUT}, ${PWN}. */
  fill<T>(value: T): T
  setUp(step: string): Promise<void>
  /** Everything in the repository, `.git` included, as one hash. */
  hashRepository(): string
  hashOutside(): string
  stop(): Promise<void>
}

export const CANARY = 'CANARY-7d1f'
const EVERYTHING = 100_000

/** Builds the world and starts the real stack on it, with the tiny model. `empty` leaves the repository without commits. */
export async function createHostileWorld({ empty = false } = {}): Promise<HostileWorld> {
  const repository = await createTempRepository(
    empty ? {} : { 'src/a.ts': 'export const a = 1\n', 'src/b.ts': 'export const b = 2\n', 'README.md': '# Sample\n' },
  )
  const { root, folder } = repository
  const out = join(folder, 'out')
  const marker = join(folder, 'pwned')
  mkdirSync(join(out, 'otherrepo'), { recursive: true })
  writeFileSync(join(out, 'secret.txt'), `${CANARY}\n`)
  execFileSync('git', ['init', '--quiet', join(out, 'otherrepo')])
  writeFileSync(join(out, 'otherrepo', 'other.txt'), `${CANARY}\n`)
  if (!empty) {
    // A person is at work: one file staged, one changed, one new.
    repository.write('staged.txt', 'staged\n')
    await repository.git('add', 'staged.txt')
    repository.write('README.md', '# Sample, changed\n')
    repository.write('untracked.txt', 'untracked\n')
  }
  const model = join(folder, 'tiny.gguf')
  await writeTinyModel(model)
  const stack = await startStack({
    repository: root,
    dataFolder: join(folder, 'data'),
    model,
    threads: 1,
    port: 0,
    ...edgeOptions(),
    log: () => undefined,
  })
  const client = await connectClient(stack.url, stack.token)
  if (!empty) {
    await client.ok('create_agent', { agent_id: 'a1', name: 'A', managed_file: 'src/a.ts', system_prompt: '' })
    await client.ok('create_agent', { agent_id: 'other', name: 'B', managed_file: 'src/b.ts', system_prompt: '' })
  }

  const fillText = (text: string): string =>
    text.replaceAll('${ROOT}', root).replaceAll('${OUT}', out).replaceAll('${PWN}', marker)
  const world: HostileWorld = {
    repository,
    stack,
    client,
    out,
    marker,
    fill: (value) => fillValue(value, fillText),
    setUp: (step) => setUp(world, fillText(step)),
    hashRepository: () => hashTree(root),
    hashOutside: () => hashTree(out),
    async stop() {
      await client.close().catch(() => undefined)
      await stack.stop()
      repository.remove()
    },
  }
  return world
}

/** Fills in placeholders and expands the generators of the case file. */
function fillValue<T>(value: T, fillText: (text: string) => string): T
function fillValue(value: unknown, fillText: (text: string) => string): unknown {
  if (typeof value === 'string') return fillText(value)
  if (Array.isArray(value)) return value.map((each) => fillValue(each, fillText))
  if (typeof value !== 'object' || value === null) return value
  if ('$repeat' in value) {
    const [text, times] = value.$repeat as [string, number]
    return text.repeat(times)
  }
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, fillValue(each, fillText)]))
}

/** The steps that the case file names, each with its verb. A step without one here fails the case. */
async function setUp(world: HostileWorld, step: string): Promise<void> {
  const { repository, out, client } = world
  const { root } = repository
  const at = (path: string) => (path.startsWith('/') ? path : join(root, path))
  const matchers: [RegExp, (...parts: string[]) => unknown][] = [
    [/^mkdir (\S+)$/, (path = '') => mkdirSync(at(path), { recursive: true })],
    [/^mkfifo (\S+)$/, (path = '') => execFileSync('mkfifo', [at(path)])],
    [/^symlink (\S+) (\S+)$/, (target = '', path = '') => symlinkSync(target, at(path))],
    [/^hardlink (\S+) (\S+)$/, (target = '', path = '') => linkSync(target, at(path))],
    [/^sparse file 4 GiB$/, () => makeSparse(join(root, 'big.bin'), 4 * 1024 ** 3)],
    [/^100,000 empty files$/, () => makeEmptyFiles(join(root, 'many'), EVERYTHING)],
    [/^git submodule sm$/, () => makeSubmodule(world)],
    [/^agent other owns src\/é\.ts$/, () => ownAccented(client)],
    [
      /^git config (\S+) '?(.*?)'?$/,
      (name = '', value = '') => {
        if (value.endsWith('.sh')) writeProgram(value, `touch ${world.marker}`)
        return repository.git('config', name, value)
      },
    ],
    [
      /^write \.husky\/pre-commit (.*) 0755$/,
      (body = '') => {
        mkdirSync(join(root, '.husky'))
        writeProgram(join(root, '.husky/pre-commit'), body)
      },
    ],
    [/^write \.gitattributes '(.*)'$/, (body = '') => repository.write('.gitattributes', `${body}\n`)],
    [/^write \.git\/refs\/heads\/(\S+)$/, (name = '') => copyHead(root, name)],
    [/^write (\S+) CANARY$/, (path = '') => writeFileSync(at(path), `${CANARY}\n`)],
    [
      /^replace \.git with a file/,
      () => {
        renameSync(join(root, '.git'), join(out, 'moved.git'))
        writeFileSync(join(root, '.git'), `gitdir: ${out}/otherrepo/.git\n`)
      },
    ],
    [/^managed file is git-ignored$/, () => ignoreManaged(world)],
    [/^file names with newline/, () => makeOddNames(root)],
    [/^corrupt row$/, () => corruptRow(world)],
    [/^empty repository, no commits$/, () => undefined],
  ]
  for (const [pattern, run] of matchers) {
    const match = pattern.exec(step)
    if (match === null) continue
    await run(...match.slice(1))
    return
  }
  throw new Error(`No such set-up step: ${step}`)
}

function writeProgram(path: string, body: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `#!/bin/sh\n${body}\n`)
  chmodSync(path, 0o755)
}

function makeSparse(path: string, bytes: number): void {
  const descriptor = openSync(path, 'w')
  ftruncateSync(descriptor, bytes)
  closeSync(descriptor)
}

function makeEmptyFiles(folder: string, count: number): void {
  mkdirSync(folder)
  for (let index = 0; index < count; index++) closeSync(openSync(join(folder, `f${index}`), 'w'))
}

async function makeSubmodule({ repository, out }: HostileWorld): Promise<void> {
  const upstream = join(out, '..', 'upstream')
  execFileSync('git', ['init', '--quiet', upstream])
  execFileSync('git', [
    '-C',
    upstream,
    '-c',
    'user.name=T',
    '-c',
    'user.email=t@localhost',
    'commit',
    '-q',
    '--allow-empty',
    '-m',
    'x',
  ])
  await repository.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', upstream, 'sm')
}

async function ownAccented(client: TestClient): Promise<void> {
  const managed_file = 'src/\u00e9.ts'
  await client.ok('create_agent', { agent_id: 'accent', name: 'Accent', managed_file, system_prompt: '' })
}

function copyHead(root: string, name: string): void {
  writeFileSync(join(root, '.git/refs/heads', name), readFileSync(join(root, '.git/refs/heads/main')))
}

async function ignoreManaged({ repository, client }: HostileWorld): Promise<void> {
  repository.write('.git/info/exclude', 'ignored.ts\n')
  await client.ok('create_agent', { agent_id: 'ignored', name: 'I', managed_file: 'ignored.ts', system_prompt: '' })
  await client.ok('agent_update_file', { agent_id: 'ignored', content: 'export const i = 1\n' })
}

function makeOddNames(root: string): void {
  for (const name of ['new\nline.ts', 'esc\u001b[31m.ts', 'quo"te.ts', '--force'])
    writeFileSync(join(root, name), 'x\n')
}

/** Writes past the registry's rules, as a person with the database file could. */
function corruptRow({ stack }: HostileWorld): void {
  const database = new DatabaseSync(join(stack.dataFolder, 'edge', 'registry.sqlite'))
  database.exec("pragma busy_timeout = 5000; update agents set managed_file = '../../etc/passwd' where agent_id = 'a1'")
  database.close()
}

export const wasRun = (world: HostileWorld): boolean => existsSync(world.marker)
