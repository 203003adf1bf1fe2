import type { AnswerForm } from './answer-form.ts'
import { readCandidate } from './candidate.ts'
import { editForm } from './edit-form.ts'
import { envelopeGrammar } from './envelope-grammar.ts'
import { shownText } from './fence.ts'
import { toLines } from './line-edits.ts'
import { wholeFile } from './prompt.ts'

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
