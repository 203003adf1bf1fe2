import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One case of the corpus. `test/fixtures/replies/README.md` has the format. */
export interface ReplyCase {
  /** The file that it stands in, without the extension, and its title. */
  readonly title: string
  readonly path: string
  readonly task: string
  /** The reply is edits of lines, not a file. */
  readonly isEdits: boolean
  readonly stopReason: 'end' | 'length'
  readonly before: string | null
  readonly reply: string
  /** `file`, or the rule of the failure. */
  readonly verdict: string
  /** What the file must be; null for a failure. */
  readonly file: string | null
}

/** All cases of a folder. Throws, naming the case, for one that is not of the format. */
export function readReplyCorpus(folder: string): ReplyCase[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.txt'))
  return files.sort().flatMap((name) => {
    const [, ...cases] = `\n${readFileSync(join(folder, name), 'utf8')}`.split(/\n%% case /)
    return cases.map((text) => parseCase(name.replace('.txt', ''), text))
  })
}

function parseCase(group: string, text: string): ReplyCase {
  const [head = '', ...parts] = text.split(/\n%% /)
  const [title = '', ...lines] = head.split('\n')
  const fields = new Map(lines.map((line) => line.split(/:\s*(.*)/, 2) as [string, string]))
  const sections = new Map(parts.map(readSection))
  const name = `${group}: ${title}`
  const found = {
    title: name,
    path: fields.get('path') ?? missing(name, 'path'),
    task: fields.get('task') ?? 'Add a field',
    isEdits: fields.get('form') === 'edits',
    stopReason: fields.get('stop') === 'length' ? ('length' as const) : ('end' as const),
    before: sections.get('before') ?? null,
    reply: sections.get('reply') ?? missing(name, 'reply'),
    verdict: fields.get('verdict') ?? missing(name, 'verdict'),
    file: sections.get('file') ?? null,
  }
  if ((found.verdict === 'file') !== (found.file !== null)) missing(name, 'file, or another verdict')
  return found
}

/** The name and the text of a section: whole lines, without the blank line that sets it off from the next case. */
function readSection(part: string): [string, string] {
  const newline = part.indexOf('\n')
  const name = (newline < 0 ? part : part.slice(0, newline)).trim()
  const text = newline < 0 ? '' : part.slice(newline + 1)
  return [name, visible(`${text.replace(/\n$/, '')}\n`)]
}

const visible = (text: string): string =>
  text
    .replaceAll('⟨TAB⟩', '\t')
    .replaceAll('⟨CR⟩', '\r')
    .replace(/⟨END⟩\n/g, '')
    .replace(/⟨U\+([0-9A-F]{4})⟩/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))

function missing(title: string, what: string): never {
  throw new Error(`Cannot read the case "${title}": it lacks ${what}`)
}
