import { randomBytes } from 'node:crypto'
import { AppError } from '#shared/errors.ts'
import type { CommandLine, CommandOutcome, CommandRequest, CommandRunner, GivenFile } from '../ports/command-runner.ts'
import type { GitHook, Repository, WorkTree } from '../ports/repository.ts'
import type { RepositoryPath } from '../workspace/repository-path.ts'

export interface HookRun {
  /** The program and its arguments. Its folder is the top of the copy. */
  readonly commandLine: CommandLine
  readonly timeoutMs: number
  /** Folders of this machine that it reads beside what every command may. */
  readonly shownFolders?: readonly string[]
}

export interface HookRunOutcome {
  readonly outcome: CommandOutcome
  /** What the hook itself printed. */
  readonly output: string
  /** False where `output` has lost its middle. */
  readonly isWhole: boolean
  /** Files that it changed or removed in the copy; null where it ended before anybody could look. */
  readonly changed: readonly string[] | null
}

/** A copy of the repository for hooks, which may do with it what they like: each run gets one of its own. */
export interface ScratchCopy {
  /** Rejects with `cancelled`, and with `unavailable` where the copy cannot be made. */
  run(run: HookRun): Promise<HookRunOutcome>
}

export interface ScratchCopyOptions {
  readonly runner: CommandRunner
  readonly repository: Pick<Repository, 'committedBytes'>
  readonly workTree: WorkTree
  /** What a commit would take: in the copy's index they are as on disk, in its last commit as in the real one. */
  readonly staged: readonly RepositoryPath[]
  /** Put where git would look for it. */
  readonly gitHook: GitHook | null
}

/** Names of files are arguments of no program here, but the copy is made in memory. */
const FILES_MAX = 50_000
/** Of what is to be committed and differs, the last commit's versions: git is asked for each by itself. */
const COMMITTED_FILES_MAX = 1000
const COMMITTED_BYTES_MAX = 64 * 1024 * 1024

// Data comes in as files and arguments, never as text of this script. $1 is a word that nobody can guess; it frames what
// the hook prints. Links to installed dependencies stand in the copy, since nobody keeps them in git.
const SCRIPT = `
set -eu
frame=$1
shift
given=$MILLWRIGHT_GIVEN
unset MILLWRIGHT_GIVEN
# What the verdict rests on must be there, and be what we take it for.
for program in tar xargs sha256sum stat diff sed sort head; do command -v "$program" >/dev/null; done
stat -c %A . >/dev/null
top=$PWD
work=\${TMPDIR:-/tmp}/copy
mkdir "$work"
{ tar -cf - --null -T "$given/files" || : >"$work.failed"; } | tar -xf - -C "$work"
[ ! -e "$work.failed" ]
for name in node_modules .venv venv vendor; do
  if [ -d "$top/$name" ] && [ ! -e "$work/$name" ]; then ln -s "$top/$name" "$work/$name"; fi
done
cd "$work"
if command -v git >/dev/null; then
  export GIT_AUTHOR_NAME=Millwright GIT_AUTHOR_EMAIL=millwright@localhost
  export GIT_COMMITTER_NAME=Millwright GIT_COMMITTER_EMAIL=millwright@localhost
  git -c init.defaultBranch=main init -q
  printf '%s\\n' /node_modules /.venv /venv /vendor >.git/info/exclude
  git update-index --add -z --stdin <"$given/files"
  if [ -e "$given/has-commit" ]; then
    cp .git/index .git/before
    GIT_INDEX_FILE=.git/before git update-index --force-remove -z --stdin <"$given/staged"
    if [ -d "$given/committed" ]; then
      (cd "$given/committed" && GIT_DIR="$work/.git" GIT_WORK_TREE=. GIT_INDEX_FILE="$work/.git/before" git add -f --ignore-removal .)
    fi
    tree=$(GIT_INDEX_FILE=.git/before git write-tree)
    git update-ref HEAD "$(git commit-tree -m 'The last commit' "$tree")"
    rm .git/before
  fi
  unset GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
fi
if [ -e "$given/hook-folder" ]; then
  folder=$(cat "$given/hook-folder")
  mkdir -p "$folder"
  cp -p "$given/hook/"* "$folder/"
fi
state() {
  xargs -0 sha256sum -- <"$given/files" 2>/dev/null || :
  xargs -0 stat -c '%A  %n' -- <"$given/files" 2>/dev/null || :
}
state >"$work.before"
printf '%s %s\\n' "$frame" "$work"
set +e
"$@"
status=$?
cd "$work"
state >"$work.after"
printf '\\n%s\\n' "$frame"
diff "$work.before" "$work.after" | sed -n 's/^[<>] [^ ]* *//p' | sort -u | head -c 1000
exit $status
`

/** Collects what the copy is made of. Rejects with `too_large` for more files, or larger ones, than a copy can hold, and with `cancelled`. */
export async function createScratchCopy(options: ScratchCopyOptions, signal: AbortSignal): Promise<ScratchCopy> {
  const { runner, workTree } = options
  if (workTree.files.length > FILES_MAX) {
    throw new AppError('too_large', `Cannot run hooks: ${workTree.files.length} files, limit ${FILES_MAX}`, {
      hint: 'A copy of so many cannot be made here: a person runs the hooks',
    })
  }
  const given = await collect(options, signal)
  return {
    async run({ commandLine, timeoutMs, shownFolders = [] }) {
      const frame = `hook-${randomBytes(12).toString('hex')}`
      const request: CommandRequest = {
        commandLine: ['/bin/sh', '-c', SCRIPT, 'sh', frame, ...commandLine],
        candidates: [],
        scratchFolders: [],
        timeoutMs,
        given,
        shownFolders,
      }
      return readOutcome(await runner.run(request, signal), frame)
    },
  }
}

async function collect(options: ScratchCopyOptions, signal: AbortSignal): Promise<ReadonlyMap<string, GivenFile>> {
  const { workTree, staged, gitHook } = options
  const given = new Map<string, GivenFile>()
  const put = (name: string, text: string): unknown => given.set(name, { bytes: Buffer.from(text) })
  put('files', nulList(workTree.files.map(({ path }) => path)))
  if (workTree.hasCommit) {
    const changed = new Set(workTree.changed)
    // What does not differ is in the last commit as it is.
    const differing = staged.filter((path) => changed.has(path))
    put('has-commit', '')
    put('staged', nulList(differing))
    for (const [path, file] of await lastVersions(options, differing, signal)) given.set(`committed/${path}`, file)
  }
  if (gitHook !== null) {
    put('hook-folder', gitHook.folder ?? '.git/hooks')
    for (const [name, file] of gitHook.files) given.set(`hook/${name}`, file)
  }
  return given
}

/** Of those of the paths that the last commit has. */
async function lastVersions(
  { repository, workTree }: ScratchCopyOptions,
  paths: readonly RepositoryPath[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, GivenFile>> {
  const tooLarge = (what: string): AppError =>
    new AppError('too_large', `Cannot run hooks: ${what}`, { hint: 'Name fewer paths' })
  if (paths.length > COMMITTED_FILES_MAX) {
    throw tooLarge(`${paths.length} changed files, limit ${COMMITTED_FILES_MAX}`)
  }
  const modes = new Map(workTree.files.map(({ path, mode }) => [path, mode]))
  const versions = new Map<string, GivenFile>()
  let bytesLeft = COMMITTED_BYTES_MAX
  for (const path of paths) {
    if (signal.aborted) throw new AppError('cancelled', 'Cannot run hooks: the call was cancelled')
    const bytes = await repository.committedBytes(path)
    if (bytes === null) continue
    bytesLeft -= bytes.byteLength
    if (bytesLeft < 0) throw tooLarge(`the changed files hold over ${COMMITTED_BYTES_MAX} bytes`)
    versions.set(path, { bytes, isExecutable: modes.get(path) === '100755' })
  }
  return versions
}

const nulList = (paths: readonly string[]): string => paths.map((path) => `${path}\0`).join('')

/** Takes apart what the script printed: nothing of the hook's own before the first frame, nothing after the second. */
function readOutcome(outcome: CommandOutcome, frame: string): HookRunOutcome {
  const text = outcome.whole ?? outcome.output
  const start = text.indexOf(`${frame} `)
  if (start === -1) {
    const reason = outcome.kind === 'stopped' ? outcome.limit : text.trim().slice(-500)
    throw new AppError('unavailable', `Cannot run hooks: the copy of the repository could not be made: ${reason}`, {
      hint: 'A copy is made in memory (512 MB) with tar and git of the system',
    })
  }
  const begin = text.indexOf('\n', start)
  const work = text.slice(start + frame.length + 1, begin)
  const end = text.lastIndexOf(`\n${frame}\n`)
  const printed = text.slice(begin + 1, end === -1 ? undefined : end)
  const changed = end === -1 ? null : text.slice(end + frame.length + 2).split('\n')
  return {
    outcome,
    output: printed.replaceAll(`${work}/`, '').replaceAll(work, '.').trim(),
    isWhole: outcome.whole !== null,
    changed: changed?.filter((line) => line !== '') ?? null,
  }
}
