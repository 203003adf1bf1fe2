/** One line of a unified diff as it is shown. Numbers are those of the lines before and after, where they have any. */
export interface DiffRow {
  readonly kind: 'added' | 'removed' | 'same' | 'place' | 'note'
  readonly before: number | null
  readonly after: number | null
  readonly text: string
}

export interface FileDiff {
  /** The file after the change, or what it was where it is gone. */
  readonly path: string
  readonly change: 'changed' | 'added' | 'removed' | 'renamed'
  readonly rows: readonly DiffRow[]
  readonly insertions: number
  readonly deletions: number
}

const PLACE = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/
/** Lines of git between the names and the first place that tell nothing beside them. */
const PLUMBING = /^(index |similarity |dissimilarity |old mode |new mode |new file mode |deleted file mode )/

/** A diff as `git diff` writes it, file by file. A diff that was cut ends where it ends. */
export function readUnifiedDiff(diff: string): readonly FileDiff[] {
  const files: { path: string; change: FileDiff['change']; rows: DiffRow[] }[] = []
  const place = { before: 0, after: 0, beforeLeft: 0, afterLeft: 0 }
  const lines = diff.endsWith('\n') ? diff.slice(0, -1).split('\n') : diff.split('\n')
  let isNamed = false
  const open = (path: string) => {
    const file = { path, change: 'changed' as FileDiff['change'], rows: [] }
    files.push(file)
    isNamed = false
    return file
  }

  for (const line of diff === '' ? [] : lines) {
    let file = files.at(-1)
    // Within a place its counts alone say how long it goes on: a removed line may itself begin with "--".
    if (file !== undefined && (place.beforeLeft > 0 || place.afterLeft > 0) && /^[-+ ]|^$/.test(line)) {
      file.rows.push(step(line, place))
      continue
    }
    const found = PLACE.exec(line)
    if (found !== null) {
      file ??= open('')
      place.before = Number(found[1])
      place.beforeLeft = Number(found[2] ?? 1)
      place.after = Number(found[3])
      place.afterLeft = Number(found[4] ?? 1)
      file.rows.push({ kind: 'place', before: null, after: null, text: line })
    } else if (line.startsWith('diff --git ')) {
      open(unquote(line.slice(line.lastIndexOf(' b/') + 1)))
    } else if (line.startsWith('--- ')) {
      if (file === undefined || isNamed) file = open('')
      isNamed = true
      if (line === '--- /dev/null') file.change = 'added'
      else file.path = unquote(line.slice(4))
    } else if (line.startsWith('+++ ')) {
      file ??= open('')
      if (line === '+++ /dev/null') file.change = 'removed'
      else file.path = unquote(line.slice(4))
    } else if (line.startsWith('rename to ') && file !== undefined) {
      file.change = 'renamed'
      file.path = line.slice('rename to '.length)
    } else if (line !== '' && !PLUMBING.test(line)) {
      file ??= open('')
      const text = line.startsWith('\\ ') ? line.slice(2) : line
      file.rows.push({ kind: 'note', before: null, after: null, text })
    } else if (line.startsWith('new file mode') && file !== undefined) file.change = 'added'
    else if (line.startsWith('deleted file mode') && file !== undefined) file.change = 'removed'
  }
  return files.map(({ path, change, rows }) => ({
    path,
    change,
    rows,
    insertions: rows.filter(({ kind }) => kind === 'added').length,
    deletions: rows.filter(({ kind }) => kind === 'removed').length,
  }))
}

function step(line: string, place: { before: number; after: number; beforeLeft: number; afterLeft: number }): DiffRow {
  const text = line.slice(1)
  const { before, after } = place
  if (!line.startsWith('+')) {
    place.before++
    place.beforeLeft--
  }
  if (!line.startsWith('-')) {
    place.after++
    place.afterLeft--
  }
  if (line.startsWith('+')) return { kind: 'added', before: null, after, text }
  if (line.startsWith('-')) return { kind: 'removed', before, after: null, text }
  return { kind: 'same', before, after, text }
}

/** Without the `a/` or `b/`, a time after a tab, and the quotes that git writes around names with other letters. */
function unquote(name: string): string {
  const plain = name.startsWith('"') ? (parsed(name) ?? name) : (name.split('\t')[0] ?? name)
  return plain.replace(/^[ab]\//, '')
}

function parsed(quoted: string): string | undefined {
  try {
    return String(JSON.parse(quoted.trim()))
  } catch {
    return undefined
  }
}
