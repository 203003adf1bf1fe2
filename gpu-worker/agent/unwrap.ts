import { fileKind } from '../gates/file-kind.ts'
import { envelopeTag } from './reply-noise.ts'

/** Files whose own text may look like an envelope or like numbered lines. */
const MARKUP = new Set(['html', 'xml', 'markdown', 'vue', 'svelte', 'text', 'rst'])

/** Takes away what models put around a file within its block: an envelope of tags, the file's name, line numbers. */
export function unwrap(lines: string[], path: string): string[] {
  return withoutGutter(withoutName(withoutEnvelope(lines, path), path), path)
}

function withoutEnvelope(lines: string[], path: string): string[] {
  if (MARKUP.has(fileKind(path).name ?? '')) return lines
  const first = lines.findIndex((line) => line.trim() !== '')
  const last = lines.findLastIndex((line) => line.trim() !== '')
  const opening = envelopeTag.exec(lines[first] ?? '')
  const closing = envelopeTag.exec(lines[last] ?? '')
  const isPair = first < last && opening?.[1] === '' && closing?.[1] === '/' && opening[2] === closing[2]
  return isPair ? lines.slice(first + 1, last) : lines
}

/** A first line of code that is nothing but the file's name. */
function withoutName(lines: string[], path: string): string[] {
  const first = lines.findIndex((line) => line.trim() !== '')
  const said = (lines[first] ?? '')
    .trim()
    .replace(/^(?:file(?:name)?|path):\s*/i, '')
    .replace(/:$/, '')
  return fileKind(path).isCode && isName(said, path) ? lines.slice(first + 1) : lines
}

/** Whether words are the name of a file: its path, with either kind of slash, or the last part of it. */
function isName(said: string, path: string): boolean {
  const plain = said.replaceAll('\\', '/').replace(/^\.\//, '')
  return plain === path || plain === path.slice(path.lastIndexOf('/') + 1)
}

/** Whether an info string or a header holds the path of a file as a word of its own. */
export function namesPath(said: string, path: string): boolean {
  const words = said.replaceAll('\\', '/').split(/[\s"'`=:,(){}[\]*]+/)
  return words.some((word) => word === path || word === `./${path}`)
}

const bars = /^ *(\d+)(?: *[|│→] ?|\t)/
const barsAndColons = /^ *(\d+)(?: *[|│→:] ?|\t)/

/** Takes away line numbers, where every line has the next one in front. */
function withoutGutter(lines: string[], path: string): string[] {
  const { isCode, name } = fileKind(path)
  if (MARKUP.has(name ?? 'text') || name === 'csv') return lines
  const gutter = isCode || name === 'json' ? barsAndColons : bars
  const isGutter = lines.length >= 2 && lines.every((line, index) => Number(gutter.exec(line)?.[1]) === index + 1)
  return isGutter ? lines.map((line) => line.replace(gutter, '')) : lines
}

/** What stands between the number and the text of a line in a prompt. No line of code begins like that. */
export const NUMBER_BAR = '│'
const numbered = new RegExp(`^ *(\\d+)${NUMBER_BAR}`)

/** Whether a line begins with a number as a prompt shows it. */
export const isNumbered = (line: string): boolean => numbered.test(line)

/** Takes line numbers away as a prompt shows them, where all lines have them, one by one. */
export function withoutNumberBars(lines: readonly string[]): readonly string[] {
  const numbers = lines.map((line) => Number(numbered.exec(line)?.[1]))
  const isGutter = lines.length > 0 && numbers.every((number, index) => number === (numbers[0] ?? 0) + index)
  return isGutter ? lines.map((line) => line.replace(numbered, '')) : lines
}

/** Whether most lines of a text have a number and a bar in front, in rising order: a gutter that could not be taken away. */
export function hasGutter(text: string): boolean {
  const filled = text.split('\n').filter((line) => line.trim() !== '')
  const numbers = filled.map((line) => /^ *(\d+) *[|│→]/.exec(line)?.[1]).filter((number) => number !== undefined)
  const rises = numbers.every((number, index) => index === 0 || Number(number) > Number(numbers[index - 1]))
  return numbers.length >= 3 && numbers.length * 2 >= filled.length && rises
}
