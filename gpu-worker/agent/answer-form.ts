import type { AnswerGrammar } from '../ports/answer-grammar.ts'
import type { Candidate } from './candidate.ts'
import type { PromptForm } from './prompt.ts'

/** How a model answers a task that changes a file: what it is shown, what it may write, and what that means. */
export interface AnswerForm {
  readonly prompt: PromptForm
  readonly grammar: AnswerGrammar
  /** What the answer writes again, by which its room is measured. */
  readonly rewritten: string
  read(reply: { readonly text: string; readonly stopReason: 'end' | 'length' }, message: string): Candidate
}
