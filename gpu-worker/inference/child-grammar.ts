import type { AnswerGrammar } from '../ports/answer-grammar.ts'
import type { ChildGrammar } from './child-protocol.ts'
import { jsonGrammar } from './json-grammar.ts'

/** A grammar as the process that holds the model takes it. Throws RangeError for a JSON schema without bounds. */
export const toChildGrammar = (grammar: AnswerGrammar): ChildGrammar =>
  grammar.kind === 'json' ? { kind: 'gbnf', text: jsonGrammar(grammar.schema) } : grammar
