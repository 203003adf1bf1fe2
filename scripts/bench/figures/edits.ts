import { chooseForm } from '#gpu-worker/agent/choose-form.ts'
import { createPrompt } from '#gpu-worker/agent/prompt.ts'
import type { LanguageModel } from '#gpu-worker/ports/language-model.ts'
import type { Figure } from '../figure.ts'
import { withHalfBillion } from '../half-billion.ts'
import { type Row, toRow } from '../row.ts'
import { median, medianRatio } from '../statistics.ts'

/** Of files, in lines. */
const LENGTHS = [50, 100, 200, 400]
const QUICK_LENGTHS = [50, 100]
const NEW_LINES = 10
/** Ten tokens in a vocabulary where a letter is one: about what a line of code has for a real model. */
const LINE = 'ab = cd(8'

/**
 * The same change written as a whole file and as edits: tokens of the answer, and the time from the call to the end of the
 * answer, prompt included. Random weights write as long as they are let; what they write is as long as the answer would be.
 */
export const measureEdits: Figure = ({ quick, signal, log }) =>
  withHalfBillion(quick, { slots: 1, contextTokensMax: 16_384 }, async (model) => {
    const rows: Row[] = []
    for (const lines of quick ? QUICK_LENGTHS : LENGTHS) {
      log(`edits: a file of ${lines} lines`)
      const text = `${LINE}\n`.repeat(lines)
      const whole = { linesMax: lines, answer: `\`\`\`python\n${text}\`\`\`` }
      const edits = { linesMax: 0, answer: `Replace 21-30\n\`\`\`python\n${`${LINE}\n`.repeat(NEW_LINES)}\`\`\`` }
      const wholeMs: number[] = []
      const editsMs: number[] = []
      for (let round = 0; round < (quick || lines > 100 ? 1 : 2); round++) {
        wholeMs.push(await changeMs(model, text, whole, `${round} whole`, signal))
        editsMs.push(await changeMs(model, text, edits, `${round} edits`, signal))
      }
      const count = (answer: string) => model.countTokens(answer, signal)
      const [wholeTokens, editsTokens] = [await count(whole.answer), await count(edits.answer)]
      const name = `${NEW_LINES} lines changed in a file of ${lines}`
      rows.push(
        toRow({
          name: `${name}, as edits: answer`,
          value: editsTokens,
          unit: 'tokens',
          comparedWith: { name: 'as a whole file', ratio: editsTokens / wholeTokens },
        }),
        toRow({
          name: `${name}, as edits: time`,
          value: median(editsMs) / 1000,
          unit: 's',
          comparedWith: { name: 'as a whole file', ratio: medianRatio(editsMs, wholeMs) },
        }),
      )
    }
    return rows
  })

/** From the call to the end of an answer that is as long as this one. What differs comes first, so that nothing is shared. */
async function changeMs(
  model: LanguageModel,
  text: string,
  form: { readonly linesMax: number; readonly answer: string },
  what: string,
  signal: AbortSignal,
): Promise<number> {
  const { prompt } = chooseForm('a.py', text, form.linesMax)
  const request = { path: 'a.py', text, context: [], rules: [], message: 'Change it', isQuestion: false }
  const turns = createPrompt({ ...request, systemPrompt: `${what} ${text.length}` }, prompt)
  const answerTokensMax = await model.countTokens(form.answer, signal)
  const begun = performance.now()
  await model.generate({ turns, answerTokensMax, temperature: 0, cacheKey: what }, { signal })
  return performance.now() - begun
}
