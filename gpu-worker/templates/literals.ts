import { fenced, fenceLength } from '../agent/fence.ts'

/**
 * Values as text of code. Whatever a value is, what comes out is one literal, one comment or one piece of prose of the
 * language: nothing in it ends what it stands in. Characters that nobody sees, or that turn the direction of the text around
 * them, are written as escapes.
 */

const unseen = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0')
const codeOf = (character: string): number => character.codePointAt(0) ?? 0

const shared: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function pyEscape(character: string): string {
  const code = codeOf(character)
  if (code <= 0xff) return `\\x${hex(code, 2)}`
  return code <= 0xffff ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`
}

function tsEscape(character: string): string {
  const code = codeOf(character)
  if (code <= 0xff) return `\\x${hex(code, 2)}`
  return code <= 0xffff ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 1)}}`
}

const jsonEscape = (character: string): string =>
  Array.from({ length: character.length }, (_, at) => `\\u${hex(character.charCodeAt(at), 4)}`).join('')

/** `"…"` of Python. */
export const pyString = (text: string): string =>
  `"${text.replace(/[\\"\n\r\t]/g, (each) => (each === '"' ? '\\"' : (shared[each] ?? each))).replace(unseen, pyEscape)}"`

/** `'…'` of TypeScript and JavaScript. */
export const tsString = (text: string): string =>
  `'${text.replace(/[\\'\n\r\t]/g, (each) => (each === "'" ? "\\'" : (shared[each] ?? each))).replace(unseen, tsEscape)}'`

/** JSON of any value, which YAML and most languages read too. */
export const jsonText = (value: unknown): string => JSON.stringify(value).replace(unseen, jsonEscape)

/** A JSON value as a literal of TypeScript. A key `__proto__` is a key like any other. */
export const tsData = (value: unknown): string =>
  write(value, {
    text: tsString,
    key: (key) => (key === '__proto__' ? "['__proto__']" : tsString(key)),
    word: String,
    space: ' ',
  })

const pyWords: Readonly<Record<string, string>> = { true: 'True', false: 'False', null: 'None' }

/** A JSON value as a literal of Python. */
export const pyData = (value: unknown): string =>
  write(value, { text: pyString, key: pyString, word: (each) => pyWords[String(each)] ?? 'None', space: '' })

interface Notation {
  readonly text: (text: string) => string
  readonly key: (key: string) => string
  readonly word: (value: boolean | null) => string
  /** Within braces. */
  readonly space: string
}

/** Of a value that `readValue` has let through: JSON, and not too deep. */
function write(value: unknown, as: Notation): string {
  if (typeof value === 'string') return as.text(value)
  if (typeof value === 'number') return String(value)
  if (typeof value === 'boolean' || value === null || value === undefined) return as.word(value ?? null)
  if (Array.isArray(value)) return `[${value.map((each) => write(each, as)).join(', ')}]`
  const members = Object.entries(value).map(([key, each]) => `${as.key(key)}: ${write(each, as)}`)
  return members.length === 0 ? '{}' : `{${as.space}${members.join(', ')}${as.space}}`
}

/** One line without what nobody sees. */
const oneLine = (text: string): string => text.replace(/[\s\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim()

/**
 * One line that ends no comment of any language: not by what closes one, not by an escape that is read before comments are
 * (Java), not by a backslash at the end (C), and that no reader takes for the file's encoding (Python).
 */
export function commentText(text: string): string {
  const line = oneLine(text)
    .replaceAll('*/', '* /')
    .replaceAll('/*', '/ *')
    .replace(/--(?=!?>)/g, '-- ')
    .replaceAll('?>', '? >')
    .replaceAll('</', '< /')
    .replace(/\\(?=u)/g, '\\ ')
    .replace(/(coding)(?=[:=])/gi, '$1 ')
  return line.endsWith('\\') ? `${line} .` : line
}

/** For the inside of `"""…"""`: no run of quotes ends it, and a backslash is one. */
function docstringText(text: string): string {
  return oneLine(text)
    .replaceAll('\\', '\\\\')
    .replace(/"(?="|$)/g, '\\"')
}

const COLUMNS = 100

/** Words in lines that fit beside `prefix`; a word that is longer than a line stands alone. */
function wrapped(text: string, prefix: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && prefix.length + line.length + 1 + word.length > COLUMNS) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  lines.push(line)
  return lines.join(`\n${prefix}`)
}

export const docstring = (text: string, indent = 0): string => wrapped(docstringText(text), ' '.repeat(indent))
export const blockComment = (text: string, indent = 0): string => wrapped(commentText(text), `${' '.repeat(indent)} * `)

/** Prose of Markdown in one line: what would be markup or HTML stands as it was written. */
export function markdownText(text: string): string {
  return oneLine(text)
    .replace(/[\\`*[\]<>|~&$]/g, '\\$&')
    .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\_')
    .replace(/^(#|[-+=](?=\s|$|-|=)|\d+(?=[.)]))/, (start) => (/\d/.test(start) ? `${start}\\` : `\\${start}`))
}

/** Code within a line of Markdown, behind as many backticks as it takes. */
export function markdownCode(text: string): string {
  const line = oneLine(text)
  const longest = (line.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0)
  const mark = '`'.repeat(longest + 1)
  return line === '' || line.startsWith('`') || line.endsWith('`') ? `${mark} ${line} ${mark}` : `${mark}${line}${mark}`
}

/** A fenced block of Markdown that nothing within it closes; its lines stay. */
export function markdownFence(text: string, language: string): string {
  const lines = text.replace(/\r\n?/g, '\n').replace(/(?![\n\t])[\p{C}\p{Zl}\p{Zp}]/gu, ' ')
  return fenced(language, lines, fenceLength(lines))
}
