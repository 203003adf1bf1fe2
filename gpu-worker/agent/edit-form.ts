import { fileKind } from '../gates/file-kind.ts'
import type { AnswerForm } from './answer-form.ts'
import { type Candidate, type CandidateRequest, TOO_LONG } from './candidate.ts'
import { parseEdits } from './edit-reply.ts'
import { fenced, fenceLength, shownText } from './fence.ts'
import { guardFailures, keepShape } from './guards.ts'
import { restoreIndentation } from './indentation.ts'
import { applyEdits, type LineEdit, type Origin, toLines } from './line-edits.ts'
import type { Failure, PromptForm } from './prompt.ts'
import { isNumbered, NUMBER_BAR, withoutNumberBars } from './unwrap.ts'

/** Markdown holds fences of three; a longer one around new lines leaves them free. */
const MARKDOWN_FENCE_MIN = 4

/**
 * The form of an answer about a file that is too long to be written again: edits that name lines of the file as it is. The
 * result is the whole new file, which goes the same way as one that was written whole.
 */
export function editForm(path: string, before: string): AnswerForm {
  const shown = shownText(before)
  const lines = toLines(shown)
  const name = fileKind(path).name ?? ''
  const length = Math.max(fenceLength(shown), name === 'markdown' ? MARKDOWN_FENCE_MIN : 0)
  const prompt: PromptForm = {
    instruction,
    show: (shownPath) => {
      const numbered = lines.map((line, index) => `${index + 1}${NUMBER_BAR}${line}\n`).join('')
      return `### \`${shownPath}\` (yours, ${lines.length} lines, numbered)\n${fenced(name, numbered, length)}`
    },
    again: 'Fix these and answer with all edits again, with line numbers of the file as shown above.',
  }
  return {
    prompt,
    grammar: { kind: 'edits', lines: lines.length, info: name, fenceLength: length },
    // What an edit takes has nothing to do with the length of the file.
    rewritten: '',
    read: (reply, message) => readEdits(reply, lines, { path, before, message }),
  }
}

// Small models answer for these words as they do for those in prompt.ts.
const instruction = (path: string): string =>
  `You are the only writer of \`${path}\`. The file is long, so answer with edits of it, from top to bottom. An edit is a line \`Replace A-B\`, \`Insert after A\` or \`Delete A-B\` with numbers of lines as shown, and behind \`Replace\` and \`Insert\` one fenced code block with the new lines, without numbers. Change only what the task asks.`

function readEdits(
  reply: { readonly text: string; readonly stopReason: 'end' | 'length' },
  lines: readonly string[],
  request: CandidateRequest & { readonly before: string },
): Candidate {
  if (reply.stopReason === 'length') return nothing({ ...TOO_LONG, message: EDITS_TOO_LONG })
  const found = parseEdits(reply.text, lines.length)
  if (found.kind === 'fault') return nothing({ rule: found.fault, message: found.message, line: null })
  const shown = shownText(request.before)
  const plain = lines.some(isNumbered) ? (edit: LineEdit) => edit : withoutNumbers
  const edits = found.edits.map((edit) => withIndentation(plain(edit), shown))
  const copied = edits.findIndex((edit) => edit.lines.some((line) => isNumbered(line) && !lines.includes(line)))
  if (copied >= 0) {
    const message = `Write the new lines of edit ${copied + 1} without line numbers`
    return nothing({ rule: 'line_numbers', message, line: null })
  }
  const edited = applyEdits(lines, edits)
  if (edited.lines.length === 0) return nothing({ rule: 'empty', message: NOTHING_LEFT, line: null })
  const text = keepShape(edited.lines.map((line) => `${line}\n`).join(''), request.before)
  return {
    text,
    prose: '',
    failures: guardFailures({ ...request, text }),
    tell: (failures) => failures.map((failure) => inEdits(failure, edited.origins)),
  }
}

const EDITS_TOO_LONG = 'The answer was cut off because it was too long: make fewer or smaller edits'

const NOTHING_LEFT = 'The edits leave no line of the file: change only what the task asks'

const nothing = (failure: Failure): Candidate => ({ text: null, prose: '', failures: [failure] })

const withoutNumbers = (edit: LineEdit): LineEdit => ({ ...edit, lines: withoutNumberBars(edit.lines) })

function withIndentation(edit: LineEdit, before: string): LineEdit {
  return edit.lines.length === 0
    ? edit
    : { ...edit, lines: restoreIndentation(edit.lines.join('\n'), before).split('\n') }
}

/** The model knows the lines of the file as shown and of its own edits, and no line of what came of them. */
function inEdits(failure: Failure, origins: readonly Origin[]): Failure {
  const origin = failure.line === null ? undefined : origins[failure.line - 1]
  if (origin === undefined) return { ...failure, line: null }
  const place = origin.kind === 'kept' ? `line ${origin.line} as shown` : `line ${origin.line} of edit ${origin.edit}`
  return { ...failure, message: `${place}: ${failure.message}`, line: null }
}
