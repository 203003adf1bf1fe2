import type { GenerateRequest } from '#gpu-worker/ports/language-model.ts'

// What the scripted model of the show answers: plain transformations of the Python file that it is shown, none of them made for one
// package. It stands in for a model, not for a judge: whether an answer is kept is not its to say.

/** The answer to a request of the agent loop. */
export function answerInPython({ turns }: GenerateRequest): string {
  const prompt = turns.find(({ role }) => role === 'user')?.text ?? ''
  const path = /only writer of `([^`]+)`/.exec(turns[0]?.text ?? '')?.[1] ?? ''
  const task = prompt.slice(prompt.lastIndexOf('### Task'))
  const text = answerTo(task, fileIn(prompt, path))
  return `\`\`\`\`python\n${text}${text.endsWith('\n') ? '' : '\n'}\`\`\`\``
}

function answerTo(task: string, file: string): string {
  if (task.includes('Write tests for')) return smokeTest(task)
  return task.includes('a docstring') ? addDocstrings(file, task) : mergeIfs(file)
}

/** The agent's own file as the prompt shows it; empty where there is none yet. */
function fileIn(prompt: string, path: string): string {
  const start = prompt.indexOf(`### \`${path}\` (yours`)
  const shown = /\n(`{3,}|~{3,})\w*\n([\s\S]*?)\n\1(?:\n|$)/.exec(start === -1 ? '' : prompt.slice(start))
  return shown?.[2] ?? ''
}

/** Gives each function and class that the task names the words of its own name as documentation. */
function addDocstrings(file: string, task: string): string {
  const lines = file.split('\n')
  const places = [...task.matchAll(/`([\w.]+)` \(line (\d+)\)/g)].map(([, name = '', line = '0']) => ({
    name: name.slice(name.lastIndexOf('.') + 1),
    line: Number(line),
  }))
  for (const { name, line } of places.toSorted((a, b) => b.line - a.line)) {
    const end = headEnd(lines, line - 1)
    if (end === null) continue
    const indent = /^\s*/.exec(lines[line - 1] ?? '')?.[0] ?? ''
    lines.splice(end + 1, 0, `${indent}    """${sentence(name)}"""`)
  }
  return lines.join('\n')
}

/** The last line of a `def` or `class` that begins at or below a line; null where its body stands on the same line. */
function headEnd(lines: readonly string[], from: number): number | null {
  let depth = 0
  for (let at = from; at < lines.length; at++) {
    const line = (lines[at] ?? '').replace(/#.*$/, '').trimEnd()
    if (/^\s*@/.test(line) && depth === 0) continue
    depth += (line.match(/[([{]/g)?.length ?? 0) - (line.match(/[)\]}]/g)?.length ?? 0)
    if (depth === 0 && line.endsWith(':')) return at
    if (depth === 0 && line.includes(':')) return null
  }
  return null
}

function sentence(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .trim()
    .toLowerCase()
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`
}

/** Joins an `if` whose whole body is another `if`, neither with an `else`, as often as there is one. */
function mergeIfs(file: string): string {
  let lines = file.split('\n')
  for (let at = 0; at < lines.length - 1; at++) {
    const merged = mergeAt(lines, at)
    if (merged === null) continue
    lines = merged
    at--
  }
  return lines.join('\n')
}

function mergeAt(lines: readonly string[], at: number): string[] | null {
  const outer = /^(\s*)if (.+):$/.exec(lines[at] ?? '')
  const inner = /^(\s*)if (.+):$/.exec(lines[at + 1] ?? '')
  if (outer === null || inner === null) return null
  const [, outerIndent = '', outerTest = ''] = outer
  const [, innerIndent = '', innerTest = ''] = inner
  if (innerIndent.length <= outerIndent.length || isJoined(outerTest) || isJoined(innerTest)) return null
  const end = blockEnd(lines, at + 1, outerIndent.length)
  const body = lines.slice(at + 2, end)
  const isWhole = body.every((line) => line.trim() === '' || indentOf(line) > innerIndent.length)
  const next = lines.slice(end).find((line) => line.trim() !== '') ?? ''
  if (!isWhole || (indentOf(next) === outerIndent.length && /^\s*(?:elif|else)\b/.test(next))) return null
  const shift = innerIndent.length - outerIndent.length
  const moved = body.map((line) => (line.trim() === '' ? line : line.slice(shift)))
  return [...lines.slice(0, at), `${outerIndent}if ${outerTest} and ${innerTest}:`, ...moved, ...lines.slice(end)]
}

/** What `and` would join in another way. */
const isJoined = (test: string): boolean => /\b(?:or|if|lambda)\b|:=/.test(test)

/** The first line behind a block whose lines are indented deeper than `indent`. */
function blockEnd(lines: readonly string[], from: number, indent: number): number {
  let end = from
  for (let at = from; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (line.trim() === '') continue
    if (indentOf(line) <= indent) break
    end = at + 1
  }
  return end
}

const indentOf = (line: string): number => line.length - line.trimStart().length

/** A test as careless models write them: it shows that the module can be imported, and nothing else. */
function smokeTest(task: string): string {
  const module = /import it as `([\w.]+)`/.exec(task)?.[1] ?? 'sys'
  return `import importlib\n\n\ndef test_can_be_imported():\n    assert importlib.import_module(${JSON.stringify(module)}) is not None\n`
}
