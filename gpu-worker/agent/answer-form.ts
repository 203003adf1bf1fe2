import type { AnswerGrammar } from '../ports/answer-grammar.ts'
import { type Candidate, readCandidate } from './candidate.ts'
import { editForm } from './edit-form.ts'
import { envelopeGrammar } from './envelope-grammar.ts'
import { shownText } from './fence.ts'
import { toLines } from './line-edits.ts'
import { type PromptForm, wholeFile } from './prompt.ts'

/** How a model answers a task that changes a file: what it is shown, what it may write, and what that means. */
export interface AnswerForm {
  readonly prompt: PromptForm
  readonly grammar: AnswerGrammar
  /** What the answer writes again, by which its room is measured. */
  readonly rewritten: string
  read(reply: { readonly text: string; readonly stopReason: 'end' | 'length' }, message: string): Candidate
}

/** The whole file; for one with more lines than `linesMax`, edits of it. Null stands for a file that is not there. */
export function chooseForm(path: string, before: string | null, linesMax: number): AnswerForm {
  if (before !== null && toLines(shownText(before)).length > linesMax) return editForm(path, before)
  return {
    prompt: wholeFile,
    grammar: envelopeGrammar(path, before),
    rewritten: before ?? '',
    read: (reply, message) => readCandidate(reply, { path, before, message }),
  }
}
