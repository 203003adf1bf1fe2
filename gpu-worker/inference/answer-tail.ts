import { ANSWER_TAIL_CHARACTERS_MAX } from '#shared/protocol/limits.ts'

/** The end of an unfinished answer: at most ANSWER_TAIL_CHARACTERS_MAX UTF-16 units, without halves of characters at its ends. */
export function answerTail(text: string): string {
  return text
    .slice(-ANSWER_TAIL_CHARACTERS_MAX)
    .toWellFormed()
    .replace(/^\uFFFD+|\uFFFD+$/g, '')
}
