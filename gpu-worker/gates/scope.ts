import type { Definition } from '../ports/source-parser.ts'
import { type Finding, type Gate, type GateSubject, whyNotParsed } from './gate.ts'
import { identifiersIn, toWords } from './words.ts'

const SHOWN_MAX = 5
/** Shorter names are words of the task by chance. */
const NAME_CHARACTERS_MIN = 3

interface Side {
  readonly definitions: readonly Definition[]
  readonly text: string
}

/**
 * Only what the task asked. Two things are far from a task's subject:
 *
 * - a function or class that was there before and is gone or renamed, although the task does not mention it;
 * - where the task names definitions of the file, a function that has changed although the task names neither it nor
 *   what it stands in, and it uses none of what the task names.
 *
 * Names are compared as words, so that "the create user endpoint" mentions `create_user`.
 */
export function createScopeGate(): Gate {
  return {
    rule: 'scope',
    describe: () => null,
    async judge(subject) {
      const { task, before } = subject
      if (task === null || before === null) return null
      const obstacle = whyNotParsed(subject)
      if (obstacle !== null) return { skipped: obstacle }
      const was = definitionsOf(await subject.parseBefore())
      if (was === null) return { skipped: 'the file did not parse before' }
      const is = definitionsOf(subject.source) ?? []
      const changed = strayed({ definitions: was, text: before }, { definitions: is, text: subject.text }, task)
      return { findings: [...limited(removed(was, is, task)), ...limited(changed)] }
    },
  }
}

function definitionsOf(source: GateSubject['source']): readonly Definition[] | null {
  return source?.kind === 'parsed' && source.faultCount === 0 ? source.definitions : null
}

function* removed(was: readonly Definition[], is: readonly Definition[], task: string): Generator<Finding> {
  const words = toWords(task)
  const names = new Set(is.map(({ name }) => name))
  const gone = new Set(was.map(({ name }) => name).filter((name) => !names.has(name)))
  for (const name of gone) {
    if (gone.has(containerOf(name)) || words.includes(toWords(lastOf(name)))) continue
    const message = `\`${name}\` is gone, and the task does not mention it: put it back as it was`
    yield { message, line: null, column: null }
  }
}

function* strayed(was: Side, is: Side, task: string): Generator<Finding> {
  const subjects = subjectsOf(was, is, task)
  if (!was.definitions.some(({ name }) => subjects.has(lastOf(name)))) return
  const about = [...subjects].slice(0, 3).map((name) => `\`${name}\``)
  const words = toWords(task)
  const old = functionTexts(was)
  for (const [name, { text, line }] of functionTexts(is)) {
    const oldText = old.get(name)?.text
    if (oldText === undefined || oldText === text) continue
    if (!identifiersIn(`${oldText}\n${text}`).isDisjointFrom(subjects)) continue
    if (name.split('.').some((part) => words.includes(toWords(part)))) continue
    const message = `\`${name}\` has changed, but the task is about ${about.join(', ')}: leave it as it was`
    yield { message, line, column: null }
  }
}

/** The definitions, of before and of now, that the task names as they are written. */
function subjectsOf(was: Side, is: Side, task: string): Set<string> {
  const said = identifiersIn(task)
  const known = [...was.definitions, ...is.definitions].map(({ name }) => lastOf(name))
  return new Set(known.filter((name) => name.length >= NAME_CHARACTERS_MIN && said.has(name)))
}

/** Functions by name, each with the text of all that have it (overloads, a property and its setter). */
function functionTexts({ definitions, text }: Side): Map<string, { text: string; line: number }> {
  const lines = text.split(/\r?\n/)
  const texts = new Map<string, { text: string; line: number }>()
  for (const { kind, name, line, endLine } of definitions) {
    if (kind !== 'function') continue
    const known = texts.get(name)
    const own = lines.slice(line - 1, endLine).join('\n')
    texts.set(name, { text: `${known?.text ?? ''}${own}\n`, line: known?.line ?? line })
  }
  return texts
}

const lastOf = (name: string): string => name.slice(name.lastIndexOf('.') + 1)
const containerOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf('.')))

function limited(found: Iterable<Finding>): Finding[] {
  const findings: Finding[] = []
  for (const finding of found) {
    if (findings.length === SHOWN_MAX) {
      const last = findings.pop()
      return last === undefined ? [] : [...findings, { ...last, message: `${last.message} (and more like it)` }]
    }
    findings.push(finding)
  }
  return findings
}
