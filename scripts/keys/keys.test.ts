import { execFile } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, verify } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSqlAccounts } from '#functions/accounts/sql-accounts.ts'
import { openSqlite, type SqliteFile } from '#functions/adapters/node/sqlite.ts'
import { createAdministration } from '#functions/auth/administration.ts'
import { sha256Hex } from '#functions/crypto.ts'
import type { Accounts } from '#functions/ports/accounts.ts'
import { AppError } from '#shared/errors.ts'
import { toWorkspaceId } from '#shared/ids.ts'
import { projectFolder } from '../setup/paths.mjs'
import { parseKeysOptions } from './options.ts'
import { type KeysWorld, runKeys } from './run-keys.ts'

const run = promisify(execFile)

let folder: string
let sqlite: SqliteFile
let world: KeysWorld
let accounts: Accounts

const clock = { now: () => Date.now() }
const administrationOver = (store: Accounts) =>
  createAdministration({ accounts: store, clock, workspace: toWorkspaceId('home'), address: null })

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-keys-'))
  sqlite = openSqlite(join(folder, 'registry.sqlite'))
  accounts = createSqlAccounts(sqlite, clock)
  world = {
    administration: administrationOver(accounts),
    ownName: 'anna',
    resolve: (path) => join(folder, path),
    keysFolder: join(folder, 'keys'),
  }
})

afterEach(() => {
  sqlite.close()
  rmSync(folder, { recursive: true })
})

const keys = (...argv: string[]) => runKeys(parseKeysOptions(argv), world)
const fingerprintIn = (text: string): string => /SHA256:[\w-]{43}/.exec(text)?.[0] ?? ''

function writePublicKey(name: string, bits = 2048): void {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  writeFileSync(join(folder, name), publicKey.export({ type: 'spki', format: 'pem' }))
}

describe('npm run keys', () => {
  it('makes a key pair of 3072 bits, private from its first moment, and registers the public half', async () => {
    const text = await keys()
    const file = join(folder, 'keys', 'anna.pem')
    expect(text).toContain(file)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'keys')).mode & 0o777).toBe(0o700)
    const privateKey = createPrivateKey(readFileSync(file))
    expect(privateKey.asymmetricKeyDetails).toMatchObject({ modulusLength: 3072, publicExponent: 65_537n })
    expect(await accounts.findKey(fingerprintIn(text))).toMatchObject({ user_name: 'anna' })
    expect(readFileSync(join(folder, 'registry.sqlite')).includes('PRIVATE KEY')).toBe(false)
    expect(verify('sha256', Buffer.from('x'), readFileSync(`${file}.pub`), Buffer.alloc(384))).toBe(false)
  })

  it('makes the first person an administrator, the next a writer, and changes no role unasked', async () => {
    expect(await keys()).toContain('home, as admin')
    expect(await keys('create', '--user', 'Bert')).toContain('home, as writer')
    expect(await keys('create', '--out', 'second.pem')).toContain('home, as admin')
  })

  it('never overwrites a key, and leaves nothing where it cannot register one', async () => {
    await keys()
    const before = readFileSync(join(folder, 'keys', 'anna.pem'), 'utf8')
    await expect(keys()).rejects.toThrow('is there already')
    expect(readFileSync(join(folder, 'keys', 'anna.pem'), 'utf8')).toBe(before)
    const failing = administrationOver({ ...accounts, addKey: () => Promise.reject(new Error('disk full')) })
    await expect(runKeys(parseKeysOptions(['--out', 'x.pem']), { ...world, administration: failing })).rejects.toThrow(
      'disk full',
    )
    expect(existsSync(join(folder, 'x.pem')) || existsSync(join(folder, 'x.pem.pub'))).toBe(false)
  })

  it('writes no private key into a repository', async () => {
    mkdirSync(join(folder, 'repository', '.git'), { recursive: true })
    await expect(keys('--out', 'repository/keys/anna.pem')).rejects.toThrow('lies in the git repository')
    expect(await accounts.listKeys()).toEqual([])
  })

  it('registers what somebody has sent, once', async () => {
    writePublicKey('bert.pub')
    const text = await keys('add', 'bert.pub', '--user', 'Bert', '--role', 'reader', '--label', 'work laptop')
    expect(text).toContain('home, as reader')
    expect(await accounts.findKey(fingerprintIn(text))).toMatchObject({ user_name: 'Bert', label: 'work laptop' })
    await expect(keys('add', 'bert.pub', '--user', 'Carl')).rejects.toMatchObject({ code: 'already_exists' })
  })

  it('registers no private key, no short one, and no two at once', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    writeFileSync(join(folder, 'private.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
    writePublicKey('short.pub', 1024)
    writePublicKey('one.pub')
    writeFileSync(join(folder, 'two.pub'), readFileSync(join(folder, 'one.pub'), 'utf8').repeat(2))
    const reasons = await Promise.all(
      ['private.pem', 'short.pub', 'two.pub'].map((file) =>
        keys('add', file, '--user', 'Bert').catch(
          (error: unknown) => error instanceof AppError && error.details?.reason,
        ),
      ),
    )
    expect(reasons).toEqual(['public_key_expected', 'key_too_short', 'several_keys'])
    expect(await accounts.listKeys()).toEqual([])
    expect(await accounts.findUser('Bert')).toBeNull()
  })

  it('revokes a key for good', async () => {
    writePublicKey('bert.pub')
    const fingerprint = fingerprintIn(await keys('add', 'bert.pub', '--user', 'Bert'))
    await keys('revoke', fingerprint)
    expect(await accounts.findKey(fingerprint)).toBeNull()
    expect(await keys('list')).toContain('REVOKED')
    await expect(keys('add', 'bert.pub', '--user', 'Bert')).rejects.toMatchObject({ code: 'already_exists' })
    await expect(keys('revoke', fingerprint)).rejects.toThrow('There is no key or token')
  })

  it('makes a token, shows it once, keeps its hash, and takes it back', async () => {
    await keys()
    const text = await keys('token', '--name', 'ci', '--scopes', 'read', '--days', '7')
    const [token = ''] = /mwp_[\w-]{43}/.exec(text) ?? []
    const [id = ''] = /t_[0-9a-z]{20}/.exec(text) ?? []
    expect(await accounts.findAccess(await sha256Hex(token))).toMatchObject({
      kind: 'token',
      credential_id: id,
      scopes: ['read'],
      workspace: 'home',
    })
    expect(await keys('list')).not.toContain(token)
    expect(JSON.stringify(sqlite.all('SELECT * FROM named_tokens'))).not.toContain(token.slice(4))
    await expect(keys('token', '--name', 'ci')).rejects.toMatchObject({ code: 'already_exists' })
    await keys('revoke', id)
    expect(await accounts.findAccess(await sha256Hex(token))).toBeNull()
  })

  it('makes no token that may do more than its owner', async () => {
    await keys()
    await keys('create', '--user', 'Bert', '--role', 'reader')
    await expect(keys('token', '--name', 'ci', '--user', 'Bert')).rejects.toThrow('allows read and no more')
    await expect(keys('token', '--name', 'ci', '--user', 'Eve')).rejects.toThrow('Nobody here is called "Eve"')
  })

  it('gives and takes roles', async () => {
    await keys()
    await keys('create', '--user', 'Bert')
    expect(await keys('grant', 'bert', '--role', 'reader')).toBe('Bert is reader in home now.')
    await keys('remove', 'BERT')
    expect(await keys('list')).toContain('Bert: in no workspace')
    expect((await accounts.listAudit(3)).map(({ actor, action }) => `${actor} ${action}`)).toEqual([
      'owner role.none',
      'owner role.reader',
      'owner role.writer',
    ])
  })

  it.each([
    [['frobnicate']],
    [['create', 'x']],
    [['add']],
    [['add', 'x.pub']],
    [['grant', 'Bert']],
    [['grant', 'Bert', '--role', 'king']],
    [['token']],
    [['token', '--name', 'x', '--days', '0']],
    [['token', '--name', 'x', '--days', '367']],
    [['token', '--name', 'x', '--scopes', 'root']],
    [['token', '--name', 'a\nb']],
    [['--workspace', 'Not One']],
    [['--unknown']],
    [['--edge', 'http://mill.example.com']],
    [['--edge', 'https://mill.example.com/mcp']],
    [['--edge', 'https://a:b@mill.example.com']],
    [['--edge', 'mill.example.com']],
  ])('refuses %j', (argv) => {
    expect(() => parseKeysOptions(argv)).toThrow()
  })

  it('works from the command line, on the data folder of either start', async () => {
    const environment = { ...process.env, XDG_CONFIG_HOME: join(folder, 'config'), INIT_CWD: folder }
    const command = (...argv: string[]) =>
      run(process.execPath, [join(projectFolder, 'scripts', 'keys.ts'), ...argv], { env: environment })
    const { stdout } = await command('--data', 'state', '--workspace', 'shop', '--user', 'Anna')
    expect(existsSync(join(folder, 'state', 'edge', 'registry.sqlite'))).toBe(true)
    expect(existsSync(join(folder, 'config', 'millwright', 'keys', 'anna.pem'))).toBe(true)
    const listed = await command('list', '--data', 'state/edge', '--workspace', 'shop')
    expect(listed.stdout).toContain(fingerprintIn(stdout))
    expect(listed.stdout).toContain('Anna: admin in shop')
    await expect(command('revoke', 'SHA256:none', '--data', 'state', '--workspace', 'shop')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no key or token'),
    })
    const place = ['--data', 'state', '--workspace', 'shop']
    const made = await command('machine', 'box', '--out', 'machine.json', ...place)
    const [, key = ''] = /revoke-machine (\S{43})\s/.exec(made.stdout) ?? []
    expect((await command('revoke-machine', key, ...place)).stdout).toContain('takes nothing of this machine any more')
    const sqlite = openSqlite(join(folder, 'state', 'edge', 'registry.sqlite'))
    const there = createSqlAccounts(sqlite, { now: Date.now })
    expect(await there.admitMachine(key, null)).toBe('revoked')
    expect((await there.listAudit(1))[0]).toMatchObject({ actor: 'owner', action: 'machine.revoke', target: key })
    sqlite.close()
  })
})
