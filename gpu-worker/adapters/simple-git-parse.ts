import type { ToolOutput } from '#shared/tools/define-tool.ts'
import type { gitLog, gitStatus } from '#shared/tools/git.ts'

type Status = ToolOutput<typeof gitStatus>
type Commit = ToolOutput<typeof gitLog>['commits'][number]

const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\uFFFD]/u

/** Text of somebody else's on one line: what cannot be seen, or steers a terminal, as an escape. */
export const escapeLine = (text: string): string => escapeUnseen(text, () => false)

/** As `escapeLine`, for text of several lines. */
export const escapeText = (text: string): string => escapeUnseen(text, (character) => /[\n\t]/u.test(character))

/** A file name as it is where it is plain; else in quotes, with escapes. */
export function escapeName(name: string): string {
  if (!unseen.test(name) && !/["\\]/u.test(name)) return name
  return `"${escapeLine(name.replaceAll(/["\\]/gu, '\\$&'))}"`
}

/** Parts that each end with NUL. */
export function splitNul(output: Buffer): string[] {
  const parts = output.toString('utf8').split('\0')
  parts.pop()
  return parts
}

/**
 * Parses `status --porcelain=v2 -z --branch`, of which the last entry may be cut. `isShown` leaves out files that are
 * nobody's business.
 */
export function parseStatus(output: Buffer, filesMax: number, isShown: (path: string) => boolean): Status {
  const status: Status = { branch: null, head: null, ahead: 0, behind: 0, files: [], truncated: false }
  const parts = splitNul(output)
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index] ?? ''
    if (part.startsWith('# ')) {
      readHeader(status, part)
      continue
    }
    const file = parseStatusEntry(part)
    // A rename is followed by the name before it.
    if (part.startsWith('2 ')) index += 1
    if (file === null || !isShown(file.path)) continue
    if (status.files.length === filesMax) return { ...status, truncated: true }
    status.files.push({ ...file, path: escapeName(file.path) })
  }
  return status
}

function readHeader(status: Status, line: string): void {
  const [, name, ...rest] = line.split(' ')
  const value = rest.join(' ')
  if (name === 'branch.oid') status.head = value === '(initial)' ? null : value
  if (name === 'branch.head') status.branch = value === '(detached)' ? null : escapeName(value)
  if (name === 'branch.ab') {
    const match = /^\+(\d+) -(\d+)$/u.exec(value)
    status.ahead = Number(match?.[1] ?? 0)
    status.behind = Number(match?.[2] ?? 0)
  }
}

/** Fields before the path, by the letter that an entry starts with. */
const fieldsBefore: Readonly<Record<string, number>> = { '1': 8, '2': 9, u: 10 }

function parseStatusEntry(entry: string): Status['files'][number] | null {
  const kind = entry.at(0) ?? ''
  if (kind === '?') return { path: entry.slice(2), index: '?', worktree: '?' }
  const count = fieldsBefore[kind]
  if (count === undefined) return null
  const fields = entry.split(' ')
  const letters = (fields[1] ?? '').replaceAll('.', ' ')
  return { path: fields.slice(count).join(' '), index: letters.at(0) ?? ' ', worktree: letters.at(1) ?? ' ' }
}

/** What `parseLog` reads: with `-z`, five fields a commit, each ended by NUL. */
export const LOG_FORMAT = '%H%x00%an <%ae>%x00%aI%x00%s%x00%b'
const LOG_FIELDS = 5
const LOG_BODY_CHARACTERS_MAX = 4000

/** Parses `log -z --format=LOG_FORMAT`; a last commit that was cut is left out. */
export function parseLog(output: Buffer): Commit[] {
  const parts = splitNul(output)
  const commits: Commit[] = []
  for (let index = 0; index + LOG_FIELDS <= parts.length; index += LOG_FIELDS) {
    const [commit = '', author = '', date = '', subject = '', body = ''] = parts.slice(index, index + LOG_FIELDS)
    commits.push({
      commit,
      author: escapeLine(author),
      date,
      subject: escapeLine(subject),
      body: escapeText(body.trimEnd().slice(0, LOG_BODY_CHARACTERS_MAX)),
    })
  }
  return commits
}

/** Parses `diff --shortstat`: a line, or nothing where there is no change. */
export function parseShortStat(output: Buffer): { files_changed: number; insertions: number; deletions: number } {
  const text = output.toString('utf8')
  const count = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0)
  return {
    files_changed: count(/(\d+) files? changed/u),
    insertions: count(/(\d+) insertions?\(\+\)/u),
    deletions: count(/(\d+) deletions?\(-\)/u),
  }
}

function escapeUnseen(text: string, isKept: (character: string) => boolean): string {
  if (!unseen.test(text)) return text
  return Array.from(text, (character) =>
    unseen.test(character) && !isKept(character) ? `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}` : character,
  ).join('')
}
