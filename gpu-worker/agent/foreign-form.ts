import { fileKind } from '../gates/file-kind.ts'
import { trailingMark } from './reply-noise.ts'
import { hasGutter } from './unwrap.ts'

const diffBegins = /^(?:diff --git |--- |\+\+\+ |@@ |<{5,} ?SEARCH|<{7} )/
const diffPart = /^(?:@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@|={5,}\s*$)/m
const conflictMark = /^(?:<{7} |>{7} |<{5,} ?SEARCH|>{5,} ?REPLACE)/m
/** Keys under which models put a file when they answer with JSON. */
const CONTENT_KEYS = new Set(['content', 'code', 'text', 'source', 'file_content', 'new_content'])
const AROUND_KEYS = new Set([
  'path',
  'file',
  'filename',
  'file_path',
  'name',
  'language',
  'explanation',
  'type',
  'tool',
])

/** A text that is another form of a file instead of the file itself, as a line for the model; null where it is none. */
export function foreignForm(
  path: string,
  text: string,
  before: string | null,
): { rule: string; message: string } | null {
  if (isDiff(path, text, before)) {
    return { rule: 'diff', message: 'The answer is a diff: write the complete file as it is after the change' }
  }
  if (isWrapped(path, text)) {
    return { rule: 'wrapped', message: 'The file is wrapped in JSON: write its plain text into the code block' }
  }
  const mark = trailingMark(text)
  if (mark !== null && before?.includes(mark) !== true) {
    return { rule: 'template_mark', message: `Remove \`${mark}\`: it is no part of the file` }
  }
  if (fileKind(path).isCode && hasGutter(text) && !hasGutter(before ?? '')) {
    return { rule: 'line_numbers', message: 'Write the lines of the file without line numbers' }
  }
  return null
}

function isDiff(path: string, text: string, before: string | null): boolean {
  if (/\.(?:diff|patch|rej)$/i.test(path)) return false
  const { isCode } = fileKind(path)
  if (isCode && conflictMark.test(text) && !conflictMark.test(before ?? '')) return true
  if (diffBegins.test(text.trimStart()) && diffPart.test(text)) return !diffPart.test(before ?? '')
  const filled = text.split('\n').filter((line) => line.trim() !== '')
  const isMarked = filled.every((line) => /^[-+ ]/.test(line)) && filled.some((line) => /^\+/.test(line))
  return isCode && isMarked
}

function isWrapped(path: string, text: string): boolean {
  if (!/^\s*[{["]/.test(text)) return false
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return false
  }
  if (typeof value === 'string') return value.includes('\n')
  const parts: unknown[] = Array.isArray(value) ? value : [value]
  return parts.some((part) => isEnvelope(part, fileKind(path).isCode))
}

/** `{"path": …, "content": "…"}`; in a file of code a text under one of these keys is enough. */
function isEnvelope(value: unknown, isCode: boolean): boolean {
  if (typeof value !== 'object' || value === null) return false
  const entries = Object.entries(value)
  const content = entries.find(([key, part]) => CONTENT_KEYS.has(key) && typeof part === 'string')
  if (content === undefined) return false
  const others = entries.filter(([key]) => key !== content[0])
  return isCode || (String(content[1]).includes('\n') && others.every(([key]) => AROUND_KEYS.has(key)))
}
