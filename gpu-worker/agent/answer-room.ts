import type { ChatTurn, LanguageModel } from '../ports/language-model.ts'

/** Room for an answer that is not about an existing text, in tokens. */
const ANSWER_TOKENS_MIN = 512
/** A file at the line limit: 300 lines of code have 3,000 to 4,000 tokens. */
const ANSWER_TOKENS_USUAL = 4096
/** What a chat template puts around a turn (ChatML: five) and in front of all (others: a date, a preamble). */
const TURN_TOKENS = 8
const TEMPLATE_TOKENS = 64

/**
 * How many tokens an answer may take. At least the file's own length and half again, which must fit or the model refuses
 * with `context_overflow`; beyond that what the context has left, up to a file of ordinary length. Where the context is not
 * known, as with some servers, a file of ordinary length.
 */
export async function answerRoom(
  model: LanguageModel,
  turns: readonly ChatTurn[],
  fileText: string,
  signal: AbortSignal,
): Promise<number> {
  const { needed, left } = await measure(model, turns, fileText, signal)
  return Math.max(needed, Math.min(ANSWER_TOKENS_USUAL, left ?? ANSWER_TOKENS_USUAL))
}

/** Tokens that a prompt and the answer that it needs leave free; null where the model's context is not known. */
export async function spareTokens(
  model: LanguageModel,
  turns: readonly ChatTurn[],
  fileText: string,
  signal: AbortSignal,
): Promise<number | null> {
  const { needed, left } = await measure(model, turns, fileText, signal)
  return left === null ? null : left - needed
}

async function measure(
  model: LanguageModel,
  turns: readonly ChatTurn[],
  fileText: string,
  signal: AbortSignal,
): Promise<{ needed: number; left: number | null }> {
  const fileTokens = fileText === '' ? 0 : await model.countTokens(fileText, signal)
  const needed = Math.max(ANSWER_TOKENS_MIN, Math.ceil(fileTokens * 1.5))
  const counts = await Promise.all(turns.map(({ text }) => model.countTokens(text, signal)))
  const prompt = counts.reduce((sum, count) => sum + count + TURN_TOKENS, TEMPLATE_TOKENS)
  const context = model.info().context_tokens
  return { needed, left: context === null ? null : context - prompt }
}
