import { held, type Oracle, refused, unproven } from './oracle.ts'
import type { CodeFile, PlanRequest } from './plan.ts'

/** No comment that makes a tool look away is added: figures that get better by that are no better. */
export async function createExcusesOracle(
  { language, text: before }: CodeFile,
  { ports: { parser }, signal }: PlanRequest,
): Promise<Oracle> {
  const count = async (text: string, countSignal: AbortSignal): Promise<number | null> => {
    const outcome = await parser.readCode(language, text, countSignal)
    return outcome.kind === 'code' ? outcome.directives : null
  }
  const was = await count(before, signal)
  return {
    rule: 'excuses',
    asks: 'No comment is added that makes a checker look away',
    async judge(text, judgeSignal) {
      const is = await count(text, judgeSignal)
      if (was === null || is === null) return unproven('the comments of this file cannot be told')
      if (is <= was) return held('no comment was added that makes a checker look away')
      return refused([`Remove the comment that was added to make a checker look away, and mend what it is about`])
    },
  }
}
