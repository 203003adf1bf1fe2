import { fileKind } from '../gates/file-kind.ts'
import type { ChatTurn } from '../ports/language-model.ts'
import { fenced, fenceLength, shownText } from './fence.ts'

export interface ContextFile {
  readonly path: string
  readonly text: string
}

export interface PromptRequest {
  readonly systemPrompt: string
  /** The agent's file. */
  readonly path: string
  /** Null where the file does not exist yet. */
  readonly text: string | null
  readonly context: readonly ContextFile[]
  readonly rules: readonly string[]
  readonly message: string
  /** The agent's earlier tasks as they are told; null or left out: none. */
  readonly earlier?: string | null
  /** `ask` wants an answer in words; every other task wants the file. */
  readonly isQuestion: boolean
}

// The exact texts that small models are trained on and measured with. A change here is a change of behaviour: the golden
// test pins them, and the demo model answers for them.
const writes = (path: string): string =>
  `You are the only writer of \`${path}\`. Answer with the complete new content of that file in one fenced code block. Change only what the task asks.`
const answers = (path: string): string =>
  `You are the only writer of \`${path}\`. Answer the question in plain text. Do not write the file: it stays as it is.`

/** How the model is shown its file and asked for an answer. */
export interface PromptForm {
  readonly instruction: (path: string) => string
  /** The section of a file that is not empty. */
  readonly show: (path: string, text: string) => string
  /** What a repair round asks for. */
  readonly again: string
}

export const wholeFile: PromptForm = {
  instruction: writes,
  show: (path, text) => `### \`${path}\` (yours, ${shownLines(text)} lines)\n${fence(path, text)}`,
  again: 'Fix these and answer with the complete file again.',
}

/** The turns of a first round: the fixed part first, so that its evaluation can be kept between tasks. */
export function createPrompt(request: PromptRequest, form: PromptForm = wholeFile): ChatTurn[] {
  const { systemPrompt, path, text, context, rules, message, isQuestion, earlier = null } = request
  const sections = [
    ...context.map((file) => `### \`${file.path}\` (read only)\n${fence(file.path, file.text)}`),
    text === null || text === '' ? `### \`${path}\` (yours, empty)` : form.show(path, text),
    ...(isQuestion || rules.length === 0 ? [] : [`### Rules\n${rules.map((rule) => `- ${rule}`).join('\n')}`]),
    ...(earlier === null ? [] : [`### Earlier\n${earlier}`]),
    `### Task\n${message}`,
  ]
  const instruction = isQuestion ? answers(path) : form.instruction(path)
  return [
    { role: 'system', text: systemPrompt === '' ? instruction : `${systemPrompt}\n\n${instruction}` },
    { role: 'user', text: sections.join('\n\n') },
  ]
}

export interface Failure {
  readonly rule: string
  readonly message: string
  readonly line: number | null
}

/** What follows a reply that did not pass. Only the last reply is shown: earlier ones cost tokens and mislead. */
export function createRepair(
  first: readonly ChatTurn[],
  reply: string,
  failures: readonly Failure[],
  form: PromptForm = wholeFile,
): ChatTurn[] {
  const lines = failures.map(
    ({ rule, message, line }) => `- ${rule}: ${line === null ? '' : `line ${line}: `}${message}`,
  )
  const text = `### Checks failed\n${lines.join('\n')}\n\n### Task\n${form.again}`
  return [...first, { role: 'assistant', text: reply }, { role: 'user', text }]
}

/** A text in a fence that no fence inside it can close, with LF line ends and without a byte-order mark. */
function fence(path: string, text: string): string {
  const shown = shownText(text)
  return fenced(fileKind(path).name ?? '', shown, fenceLength(shown))
}

/** Lines as a reader counts them: a last one without a newline is one too. */
function shownLines(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
}
