import { chooseForm } from '#gpu-worker/agent/choose-form.ts'
import type { AnswerGrammar } from '#gpu-worker/ports/answer-grammar.ts'
import type { LanguageModel } from '#gpu-worker/ports/language-model.ts'
import type { Figure } from '../figure.ts'
import { withHalfBillion } from '../half-billion.ts'
import { toRow } from '../row.ts'
import { median, medianRatio } from '../statistics.ts'

const ANSWER_TOKENS = 96
/** Line numbers of four digits. */
const EDITED = 'x = 1\n'.repeat(1200)

const grammars = {
  'without a grammar': null,
  'under the grammar of a whole file': chooseForm('a.py', null, 200).grammar,
  'where a grammar decides nearly all': chooseForm('a.py', EDITED, 200).grammar,
} as const satisfies Record<string, AnswerGrammar | null>
type Name = keyof typeof grammars
const names = Object.keys(grammars) as Name[]
const FREE: Name = 'without a grammar'

/**
 * What holding an answer to its form costs. Of a whole file the model chooses nearly every token, and the grammar only looks
 * on. Edits by random weights are one `Delete` after the other, of which the grammar chooses nearly every token: for each it
 * looks at the whole vocabulary. A model that knows its form lies between the two, near the first.
 */
export const measureGrammar: Figure = ({ quick, signal, log }) =>
  withHalfBillion(quick, { slots: 1, contextTokensMax: 2048 }, async (model) => {
    log('grammar: answers with and without')
    const perToken = new Map<Name, number[]>(names.map((name) => [name, []]))
    // The first answer allocates.
    await answerMs(model, null, signal)
    for (let round = 0; round < (quick ? 2 : 5); round++) {
      for (const name of round % 2 === 0 ? names : names.toReversed()) {
        perToken.get(name)?.push(await answerMs(model, grammars[name], signal))
      }
    }
    const free = perToken.get(FREE) ?? []
    return names.map((name) => {
      const these = perToken.get(name) ?? []
      const measured = { name: `answer token ${name}`, value: median(these), unit: 'ms' }
      if (name === FREE) return toRow(measured)
      return toRow({
        ...measured,
        comparedWith: { name: `answer token ${FREE}`, ratio: medianRatio(these, free) },
      })
    })
  })

/** Milliseconds per token of an answer, from its first one on. */
async function answerMs(model: LanguageModel, grammar: AnswerGrammar | null, signal: AbortSignal): Promise<number> {
  const { usage } = await model.generate(
    {
      turns: [{ role: 'user', text: 'Write a file' }],
      answerTokensMax: ANSWER_TOKENS,
      temperature: 0,
      ...(grammar === null ? {} : { grammar }),
    },
    { signal },
  )
  if (usage.tokens_per_second === null) throw new Error('An answer ended with its first token')
  return 1000 / usage.tokens_per_second
}
