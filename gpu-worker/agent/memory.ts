import type { EarlierTask } from '#shared/schemas/agent.ts'
import { taskTitle } from '#shared/task-title.ts'

/** Earlier tasks that the summary names; of those before them it tells the number only. */
const TITLES_MAX = 8

/**
 * What an agent's model is told of its earlier tasks, within a number of tokens; null where nothing fits or nothing was.
 * The newest tasks come whole, and one line sums up those before them: "Earlier: 3 tasks: …".
 */
export async function tellEarlier(
  history: readonly EarlierTask[],
  tokensMax: number,
  countTokens: (text: string) => Promise<number>,
): Promise<string | null> {
  if (history.length === 0) return null
  let tokensLeft = tokensMax - (await countTokens(summarise(history)))
  let first = history.length
  const told: string[] = []
  for (const each of history.toReversed()) {
    if (each.answer === null) break
    const text = `Task:\n${quote(each.task)}\nAnswer:\n${quote(each.answer)}`
    tokensLeft -= (await countTokens(text)) + 1
    if (tokensLeft < 0) break
    told.unshift(text)
    first--
  }
  if (first > 0) {
    const summary = summarise(history.slice(0, first))
    if (told.length === 0 && (await countTokens(summary)) > tokensMax) return null
    told.unshift(summary)
  }
  return told.join('\n\n')
}

/** In a fixed form, without a model: how many tasks there were, and the first words of the latest of them. */
function summarise(history: readonly EarlierTask[]): string {
  const titles = history.slice(-TITLES_MAX).map(({ task }) => taskTitle(task))
  const left = history.length > TITLES_MAX ? '…; ' : ''
  return `Earlier: ${history.length} task${history.length === 1 ? '' : 's'}: ${left}${titles.join('; ')}`
}

/** Quoted, so that no line of it can be taken for a part of the prompt. */
const quote = (text: string): string =>
  text
    .trim()
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n')
