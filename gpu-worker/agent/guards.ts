import { fileKind } from '../gates/file-kind.ts'
import { foreignForm } from './foreign-form.ts'
import { otherIndentation, restoreIndentation } from './indentation.ts'
import type { Failure } from './prompt.ts'

export interface GuardRequest {
  readonly path: string
  /** Null where there is no file yet. */
  readonly before: string | null
  /** In the shape of the file that it replaces: see keepShape. */
  readonly text: string
  /** The task: it may ask for what would otherwise be suspicious. */
  readonly message: string
}

/** A file so short that losing half of it means nothing. */
const SHRINK_LINES_MIN = 6
const REMOVAL =
  /\b(?:remov|delet|drop|short|simplif|replac|rewrit|reduc|clean|strip|trim|split|extract|mov(?:e|ing)|condens|minimi|empt(?:y|ied)|clear|cut|refactor|keep only|only keep|start over|from scratch)/i

/** What must hold of a new text before any check looks at it. Failures are lines for the model. */
export function guardFailures(request: GuardRequest): Failure[] {
  return [
    ...emptied(request),
    ...unchanged(request),
    ...controlCharacters(request),
    ...invisible(request),
    ...foreign(request),
    ...mixedIndentation(request),
    ...onlyPart(request),
    ...stubs(request),
    ...shrunk(request),
  ]
}

/**
 * Gives a text the indentation (tabs or spaces), line ends, byte-order mark and final newline of the file that it replaces.
 * A new file has no byte-order mark, and no non-breaking space in front of a line.
 */
export function keepShape(answer: string, before: string | null): string {
  const plain = plainIndentation(answer.replace(/^\uFEFF/, ''), before)
  const text = before === null ? plain : restoreIndentation(plain, before.replaceAll('\r\n', '\n'))
  const body = text.slice(0, endOfLastLine(text))
  if (before === null || before === '') return body === text ? text : `${body}\n`
  const crlf = before.split('\r\n').length - 1
  const usesCrlf = crlf > before.split('\n').length - 1 - crlf
  const mark = before.startsWith('\uFEFF') ? '\uFEFF' : ''
  const ending = before.slice(endOfLastLine(before)).replaceAll('\r', '')
  const whole = `${mark}${body}${body === '' ? '' : ending}`
  return usesCrlf ? whole.replaceAll('\n', '\r\n') : whole
}

const plainIndentation = (text: string, before: string | null): string =>
  before?.includes('\u00A0') === true
    ? text
    : text.replace(/^[ \t]*\u00A0[ \t\u00A0]*/gm, (run) => run.replaceAll('\u00A0', ' '))

/** Where the line ends at the end of a text begin. Not by `/\n+$/`, which tries again from every line end there is. */
function endOfLastLine(text: string): number {
  let end = text.length
  while (text[end - 1] === '\n') end -= text[end - 2] === '\r' ? 2 : 1
  return end
}

function emptied({ text, before, message }: GuardRequest): Failure[] {
  if (text.trim() !== '' || (before !== null && before !== '' && REMOVAL.test(message))) return []
  return [failure('empty', 'The code block is empty: write the complete file into it')]
}

function unchanged({ text, before }: GuardRequest): Failure[] {
  if (before === null || before === '' || text !== before) return []
  return [failure('unchanged', 'Nothing was changed: make the change that the task asks for')]
}

function controlCharacters({ text, before }: GuardRequest): Failure[] {
  const lines = text.split('\n')
  const line = lines.findIndex((each) =>
    (each.match(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]/g) ?? []).some(
      (found) => before?.includes(found) !== true,
    ),
  )
  return line < 0 ? [] : [{ rule: 'control_character', message: 'Remove the control character', line: line + 1 }]
}

/** Characters that a reader does not see and that change what code means; in prose only those that turn its direction. */
const TURNING = /[\u202A-\u202E\u2066-\u2069]/g
const UNSEEN = /[\u00A0\u00AD\u180E\u200B\u2060\uFEFF\u202A-\u202E\u2066-\u2069]/g

function invisible({ path, text, before }: GuardRequest): Failure[] {
  const { isCode, language } = fileKind(path)
  const pattern = isCode || (language !== null && language !== 'markdown') ? UNSEEN : TURNING
  const lines = text.replace(/^\uFEFF/, '').split('\n')
  for (const [index, line] of lines.entries()) {
    const found = line.match(pattern)?.find((each) => before?.includes(each) !== true)
    if (found === undefined) continue
    const name = `U+${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
    const message = `Remove the invisible character ${name}, or write it as an escape`
    return [{ rule: 'invisible_character', message, line: index + 1 }]
  }
  return []
}

function foreign({ path, text, before }: GuardRequest): Failure[] {
  const found = foreignForm(path, text, before)
  return found === null ? [] : [{ ...found, line: null }]
}

/** Where tabs and spaces mean different things, a text that mixes them. */
function mixedIndentation({ path, text, before }: GuardRequest): Failure[] {
  const { name } = fileKind(path)
  const line = name === 'python' || name === 'makefile' ? otherIndentation(text, before) : null
  // A makefile of our own making may indent what is no recipe.
  if (line === null || (name === 'makefile' && before === null)) return []
  return [{ rule: 'indentation', message: 'Indent this line as the rest of the file, with tabs or spaces only', line }]
}

/** Code of which every line is indented, which the file was not: a piece from its middle. */
function onlyPart({ path, text, before }: GuardRequest): Failure[] {
  if (!fileKind(path).isCode || !isAllIndented(text) || isAllIndented(before ?? '')) return []
  return [failure('part', 'The answer is a piece from the middle of the file: write the complete file')]
}

function isAllIndented(text: string): boolean {
  const filled = text.split('\n').filter((line) => line.trim() !== '')
  return filled.length > 0 && filled.every((line) => /^(?: {2}|\t)/.test(line))
}

const comment =
  /^(?:#+|\/\/+|\/\*+|\*|--|;+|%+|<!--|\(\*|\{-|\{\/\*|"""|''')\s*(.*?)\s*(?:\*\/\}?|-->|\*\)|-\}|"""|''')?$/
const part =
  '(?:code|content|file|class|function|module|implementation|document|script|methods?|functions?|imports?|fields?|lines?|tests?|logic|endpoints?|routes?|definitions?)'
const adjective = '(?:existing|remaining|previous|other|original|unchanged|same|old|current)'
const stays =
  '(?:(?:remains?|stays?|is|are|goes|go|left)\\s+)?(?:unchanged|the same|as (?:it )?(?:before|is|was)|omitted|here|above|below|not shown)(?:\\s+(?:for|from|as|here|above|below)\\b.*)?'
const stubTexts = [
  new RegExp(
    `^(?:the |your )?(?:rest|remainder) of (?:the |your |this )?(?:${adjective} )?${part}(?:\\s+${stays})?$`,
    'i',
  ),
  new RegExp(`^(?:the |your |all (?:the )?)?(?:existing|remaining|original|unchanged) ${part}(?:\\s+${stays})?$`, 'i'),
  // These may stand above a section of their own: `# Other functions`.
  new RegExp(`^(?:the |your |all (?:the )?)?${adjective} ${part}\\s+${stays}$`, 'i'),
  new RegExp(`^(?:the |all )?(?:rest|everything else|${part})(?:\\s+(?:above|below|here))?\\s+${stays}$`, 'i'),
  /^(?:unchanged|same as (?:before|above)|no changes?(?: here| needed)?|(?:add |put )?your (?:code|implementation|logic)(?: goes)? here|implementation (?:goes )?here|code (?:goes )?here|omitted for brevity)$/i,
]

/** Places where the model stands for text instead of writing it. What the file held before is no stub. */
function stubs({ path, text, before }: GuardRequest): Failure[] {
  const known = new Set((before ?? '').split('\n').map((line) => line.trim()))
  const lines = text.split('\n')
  const line = lines.findIndex((each, index) => !known.has(each.trim()) && isStub(each, lines[index - 1] ?? '', path))
  if (line < 0) return []
  const shown = (lines[line] ?? '').trim().slice(0, 60)
  return [
    { rule: 'stub', message: `\`${shown}\` stands for text that is missing: write the complete file`, line: line + 1 },
  ]
}

function isStub(line: string, previous: string, path: string): boolean {
  const trimmed = line.trim()
  if (trimmed === '...' || trimmed === '…') return !isPythonBody(line, previous, path)
  const { name, isCode } = fileKind(path)
  // `#` is a heading in Markdown and `-` a list in YAML: only words in brackets count there, and HTML comments.
  const inComment = name === 'markdown' && !trimmed.startsWith('<!--') ? null : comment.exec(trimmed)
  const bracketed = /^[[(<{](.*)[\])>}]$/.exec(trimmed)
  if (inComment !== null && isWrapped(comment.exec(previous.trim())?.[1] ?? '')) return false
  const said = inComment?.[1] ?? bracketed?.[1] ?? (isCode ? trimmed : null)
  if (said === null) return false
  const words = said
    .replace(/^[[(<{]|[\])>}]$/g, '')
    .replace(/^(?:\.{3}|…)\s*|\s*(?:\.{3}|…)$|[.:!]$/g, '')
    .trim()
  // A comment of nothing but dots, as `# ...`; an opening comment mark alone is no comment of dots.
  if (words === '') return inComment !== null && /\.{3}|…/.test(said)
  return stubTexts.some((pattern) => pattern.test(words)) || (inComment !== null && isDotted(said, words))
}

/** A line of comment that ended for want of room: what follows is the end of its sentence. */
const isWrapped = (said: string): boolean => said.length >= 40 && !/[.:;!?…)]$/.test(said)

/** Dots at one end of a comment around a few words about code: `# ... existing methods ...`. */
const isDotted = (said: string, words: string): boolean =>
  /^(?:\.{3}|…)/.test(said) && new RegExp(`^(?:${adjective}|rest|more|etc|and so on)\\b`, 'i').test(words)

/** `...` is an ordinary body in Python: after a line that opens a block, or after its docstring. */
const isPythonBody = (line: string, previous: string, path: string): boolean =>
  fileKind(path).name === 'python' && /^\s/.test(line) && /(?::|"""|'''|\))\s*(?:#.*)?$/.test(previous)

function shrunk({ before, text, message }: GuardRequest): Failure[] {
  const had = filledLines(before ?? '')
  const has = filledLines(text)
  if (had < SHRINK_LINES_MIN || has * 2 >= had || REMOVAL.test(message) || text.trim() === '') return []
  const lost = `The file had ${had} lines with text and the answer has ${has}`
  return [failure('shrunk', `${lost}: keep everything that the task does not ask to remove`)]
}

const filledLines = (text: string): number => text.split('\n').filter((line) => line.trim() !== '').length

const failure = (rule: string, message: string): Failure => ({ rule, message, line: null })
