/** The last lines of a process's log, for the error that its death becomes. */
export interface LogTail {
  /** Takes output as it comes, in pieces of any size. */
  write(text: string): void
  /** Oldest first. Folders are taken out of absolute paths, because these lines reach callers. */
  lines(): string[]
}

const LINE_CHARACTERS_MAX = 500

/** Keeps `linesMax` lines of at most 500 characters. */
export function createLogTail(linesMax = 40): LogTail {
  const kept: string[] = []
  let open = ''
  const keep = (line: string) => {
    if (line.trim() === '') return
    kept.push(withoutFolders(line.slice(0, LINE_CHARACTERS_MAX)))
    if (kept.length > linesMax) kept.shift()
  }
  return {
    write(text) {
      const lines = `${open}${text}`.split(/\r?\n/)
      open = (lines.pop() ?? '').slice(-LINE_CHARACTERS_MAX)
      for (const line of lines) keep(line)
    },
    lines: () => (open.trim() === '' ? [...kept] : [...kept, withoutFolders(open)]),
  }
}

/** `/home/ann/models/a.gguf` becomes `a.gguf`; web addresses stay. */
export function withoutFolders(line: string): string {
  return line.replace(/(?<![\w.:/])\/(?:[^\s/'"]+\/)+/g, '').replace(/(?<!\w)[A-Za-z]:\\(?:[^\s\\'"]+\\)+/g, '')
}
