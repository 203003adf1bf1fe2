import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface TempRepository {
  /** The repository's top folder. */
  readonly root: string
  /** A folder around it that is removed with it. */
  readonly folder: string
  git(...args: string[]): Promise<string>
  read(path: string): string
  write(path: string, content: string | Uint8Array): void
  exists(path: string): boolean
  remove(): void
}

/** Makes a real git repository with these files in its first commit (none: no commit at all). */
export async function createTempRepository(
  files: Record<string, string> = { 'README.md': '# Sample\n' },
): Promise<TempRepository> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'millwright-test-')))
  const root = join(folder, 'sample')
  mkdirSync(root)
  const git = async (...args: string[]) =>
    (
      await run('git', ['-C', root, ...args], {
        env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
      })
    ).stdout
  const repository: TempRepository = {
    root,
    folder,
    git,
    read: (path) => readFileSync(join(root, path), 'utf8'),
    write(path, content) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), content)
    },
    exists: (path) => existsSync(join(root, path)),
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  }
  await git('init', '--quiet', '--initial-branch=main')
  await git('config', 'user.name', 'Tester')
  await git('config', 'user.email', 'tester@localhost')
  await git('config', 'commit.gpgSign', 'false')
  for (const [path, content] of Object.entries(files)) repository.write(path, content)
  if (Object.keys(files).length > 0) {
    await git('add', '--all')
    await git('commit', '--quiet', '--message', 'Begin')
  }
  return repository
}

/** One hash over names, kinds, modes and bytes of everything below a folder, `.git` included. */
export function hashTree(folder: string): string {
  const hash = createHash('sha256')
  const visit = (path: string, name: string): void => {
    const stat = lstatSync(path)
    hash.update(`${name}\0${stat.mode}\0`)
    if (stat.isSymbolicLink()) hash.update(readlinkSync(path))
    else if (stat.isDirectory())
      for (const child of readdirSync(path).sort()) visit(join(path, child), `${name}/${child}`)
    else if (stat.isFile() && stat.size < 100_000_000) hash.update(readFileSync(path))
  }
  visit(folder, '')
  return hash.digest('hex')
}
