import { lstatSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AppError } from '#shared/errors.ts'
import type { GitRun } from './simple-git-run.ts'

/** The folders of one repository, and the proof that they are still the same. */
export interface RepositoryIdentity {
  readonly root: string
  readonly gitDir: string
  readonly commonDir: string
  /** Throws `unavailable` where anything that decides which repository this is has changed since it was opened. */
  assertSame(): void
}

/** Git that reads the system-independent options used here, `--end-of-options` among them. */
const VERSION_MIN = [2, 31] as const
/** A file that leads git elsewhere holds one path. */
const POINTER_BYTES_MAX = 16_384

/** Finds and pins the repository whose top folder is `root`. Throws `unavailable`, saying what is wrong. */
export async function pinRepository(root: string, run: GitRun): Promise<RepositoryIdentity> {
  await assertVersion(run)
  const found = await run(
    ['rev-parse', '--path-format=absolute', '--is-bare-repository', '--show-toplevel', '--git-dir', '--git-common-dir'],
    { env: { GIT_CEILING_DIRECTORIES: dirname(root) } },
  )
  const [bare, topLevel, gitDir, commonDir, rest] = found.stdout.toString('utf8').split('\n')
  if (found.exitCode !== 0) throw notOpened(reasonOf(bare === 'true', found.stderr))
  if (!topLevel || !gitDir || !commonDir || rest !== '') throw notOpened('its path cannot be read')
  if (realpathSync(topLevel) !== root)
    throw notOpened('the folder is not the top of its work tree', 'Pass the top folder')
  const dotGit = join(root, '.git')
  if (lstatSync(dotGit).isSymbolicLink()) throw notOpened('its .git is a link', 'Put the folder itself in its place')
  const pinned = { root, gitDir: realpathSync(gitDir), commonDir: realpathSync(commonDir) }
  const assertStructure = (): string => describe(pinned)
  const before = assertStructure()
  return {
    ...pinned,
    assertSame() {
      let now: string
      try {
        now = assertStructure()
      } catch (cause) {
        throw changed(cause)
      }
      if (now !== before) throw changed(undefined)
    },
  }
}

async function assertVersion(run: GitRun): Promise<void> {
  const { stdout, stderr } = await run(['version'])
  const match = /git version (\d+)\.(\d+)/u.exec(stdout.toString('utf8'))
  if (match === null)
    throw new AppError('unavailable', 'Cannot use git: it does not start', { cause: new Error(stderr) })
  const [major, minor] = [Number(match[1]), Number(match[2])]
  if (major < VERSION_MIN[0] || (major === VERSION_MIN[0] && minor < VERSION_MIN[1])) {
    throw new AppError(
      'unavailable',
      `Cannot use git: version ${major}.${minor}, at least ${VERSION_MIN.join('.')} needed`,
      {
        hint: 'Install a newer git on the machine of the worker',
      },
    )
  }
}

/** Everything that decides which repository git would work on, as one text to compare. */
function describe({ root, gitDir, commonDir }: { root: string; gitDir: string; commonDir: string }): string {
  const dotGit = join(root, '.git')
  return [
    folderIdentity(root),
    lstatSync(dotGit).isFile() ? `file ${readPointer(dotGit)}` : folderIdentity(dotGit),
    folderIdentity(gitDir),
    folderIdentity(commonDir),
    folderIdentity(join(commonDir, 'objects')),
    folderIdentity(join(commonDir, 'refs')),
    readPointer(join(gitDir, 'commondir')),
    readPointer(join(commonDir, 'objects', 'info', 'alternates')),
  ].join('\0')
}

function folderIdentity(path: string): string {
  const stat = lstatSync(path, { bigint: true })
  if (!stat.isDirectory()) throw notOpened(`its ${basename(path)} is not a folder`)
  return `${stat.dev}:${stat.ino}`
}

function readPointer(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return ''
  if (!stat.isFile() || stat.size > POINTER_BYTES_MAX) throw notOpened(`its ${basename(path)} is not a small file`)
  return readFileSync(path, 'utf8')
}

function reasonOf(isBare: boolean, stderr: string): string {
  if (/dubious ownership/u.test(stderr)) {
    return "it belongs to another user than the worker's; start the worker as the owner of the folder"
  }
  if (isBare || /bare repository|must be run in a work tree/u.test(stderr)) return 'it is bare, without a work tree'
  if (/not a git repository/u.test(stderr)) return 'the folder is not a git repository; run git init in it first'
  return 'git cannot read it'
}

const notOpened = (reason: string, hint = 'Start the worker on the top folder of a git repository'): AppError =>
  new AppError('unavailable', `Cannot open the repository: ${reason}`, { hint })

const changed = (cause: unknown): AppError =>
  new AppError('unavailable', 'Cannot use git: the repository is not the one that was opened', {
    hint: 'Something replaced its .git; look at it, then restart the worker',
    cause,
  })
