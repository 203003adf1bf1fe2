import type { EditsGrammar } from '../ports/answer-grammar.ts'
import { commonLineRules, fencedLineRules } from './fenced-lines.ts'
import { literal, numberBetween, oneOf } from './gbnf.ts'

/** Stands where the next grammar begins: a character that no text holds, so that no token reaches beyond. */
const WALL = '[\\U0010FFFF]'
/** An edit from its beginning, as far as its first line is whole. */
const EDIT = /^(?<head>Delete \d+-(?<deleted>\d+)\n|Replace \d+-(?<replaced>\d+)\n|Insert after (?<after>\d+)\n)/

/**
 * The grammar of edits, in stages. Which numbers are right depends on those before, and a grammar for all of them at once
 * would have a rule for each pair of lines; so each number gets a small grammar of its own when its place is reached.
 *
 * Every answer that ends has at least one edit, names only lines that exist, from top to bottom, and no line twice.
 */
export class EditStages {
  readonly #form: EditsGrammar
  /** Lines up to here are behind the last edit. */
  #used = 0
  /** The first line after which may be inserted. */
  #insertFrom = 0
  /** Of the edit at hand. */
  #text = ''
  #grammar: string

  constructor(form: EditsGrammar) {
    this.#form = form
    this.#grammar = this.#header()
  }

  /** For all that follows up to the next stage. */
  get grammar(): string {
    return this.#grammar
  }

  /** Takes what was generated, token by token, and tells whether there is a new grammar for what follows. */
  push(text: string): boolean {
    this.#text += text
    const range = /^(Replace|Delete) (\d+)-$/.exec(this.#text)
    if (range !== null) {
      this.#grammar = this.#range(range[1] === 'Delete', Number(range[2]))
      return true
    }
    if (!text.includes('\n')) return false
    const groups = EDIT.exec(this.#text)?.groups
    if (groups === undefined) return false
    const { head, deleted, replaced, after } = groups
    if (!(deleted === undefined ? this.#isClosed(head ?? '') : this.#text === head)) return false
    this.#used = Number(after ?? deleted ?? replaced)
    this.#insertFrom = after === undefined ? this.#used : this.#used + 1
    this.#text = ''
    this.#grammar = this.#header()
    return true
  }

  /** Whether the block behind this heading has its end; without a name its beginning looks the same. */
  #isClosed(heading: string): boolean {
    const { fenceLength, info } = this.#form
    const fence = '`'.repeat(fenceLength)
    const beginning = `${heading}${fence}${info}`
    return this.#text.length > beginning.length + 1 && this.#text.endsWith(`\n${fence}\n`)
  }

  #header(): string {
    const { lines } = this.#form
    const places = (from: number, to: number, then: string): string[] =>
      from > to ? [] : [`"Insert after " ${numberBetween(from, to)} "\\n" block ${then}`]
    const first = (verb: string): string[] =>
      this.#used === lines ? [] : [`"${verb} " ${numberBetween(this.#used + 1, lines)} "-" ${WALL}`]
    return this.#write([
      ...first('Replace'),
      ...first('Delete'),
      ...places(this.#insertFrom, lines - 1, 'more'),
      // Behind the end there is nothing left to name.
      ...places(Math.max(lines, this.#insertFrom), lines, ''),
    ])
  }

  #range(isDelete: boolean, from: number): string {
    const last = numberBetween(from, this.#form.lines)
    return this.#write([isDelete ? `${last} more` : `${last} "\\n" block more`])
  }

  #write(alternatives: readonly string[]): string {
    return [`root ::= ${oneOf(alternatives)}`, `more ::= ("\\n" ${WALL})?`, ...blockRules(this.#form), ''].join('\n')
  }
}

/**
 * One grammar for a server that takes but one: only lines that exist, though in any order. A reader refuses what overlaps.
 */
export function editsAtOnce(form: EditsGrammar): string {
  return [
    'root ::= edit ("\\n" edit)*',
    'edit ::= "Replace " line "-" line "\\n" block | "Delete " line "-" line | "Insert after " place "\\n" block',
    `line ::= ${numberBetween(1, form.lines)}`,
    `place ::= ${numberBetween(0, form.lines)}`,
    ...blockRules(form),
    '',
  ].join('\n')
}

function blockRules({ fenceLength, info }: EditsGrammar): string[] {
  const fence = '`'.repeat(fenceLength)
  return [
    `block ::= ${literal(`${fence}${info}\n`)} line${fenceLength}* ${literal(fence)}`,
    ...fencedLineRules(fenceLength),
    ...commonLineRules,
  ]
}
