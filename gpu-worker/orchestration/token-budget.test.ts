import { describe, expect, it } from 'vitest'
import type { GenerateRequest } from '#gpu-worker/ports/language-model.ts'
import type { Usage } from '#shared/schemas/job.ts'
import { createScriptedModel } from '#test/support/scripted-model.ts'
import { TokenBudget, withinBudget } from './token-budget.ts'

const { signal } = new AbortController()
const asked: GenerateRequest = {
  turns: [{ role: 'user', text: 'x'.repeat(400) }],
  answerTokensMax: 500,
  temperature: 0,
}

describe('a budget of tokens', () => {
  it('lets a call through only where all that it may take is left', async () => {
    const model = createScriptedModel(['y'.repeat(40)])
    const used: Usage[] = []
    const budget = new TokenBudget(900, 0)
    const within = withinBudget(model, budget, (usage) => used.push(usage))
    await within.generate(asked, { signal })
    // 100 of the prompt and 10 of the answer; what the answer did not take is there again.
    expect(budget.used).toBe(110)
    await within.generate(asked, { signal })
    await expect(within.generate(asked, { signal })).rejects.toMatchObject({ code: 'busy' })
    expect(budget.isSpent).toBe(true)
    expect(model.requests).toHaveLength(2)
    expect(used.map(({ completion_tokens }) => completion_tokens)).toEqual([10, 10])
  })

  it('counts what was used before', async () => {
    const budget = new TokenBudget(1000, 600)
    const within = withinBudget(createScriptedModel(['y']), budget, () => {})
    await expect(within.generate(asked, { signal })).rejects.toMatchObject({ code: 'busy' })
    expect(budget.used).toBe(600)
  })

  it('waits for calls that may give tokens back before it refuses', async () => {
    const answer = Promise.withResolvers<void>()
    const model = createScriptedModel([{ text: 'y', during: () => answer.promise }, 'y'])
    const within = withinBudget(model, new TokenBudget(1000, 0), () => {})
    const first = within.generate(asked, { signal })
    const second = within.generate(asked, { signal })
    await Promise.resolve()
    answer.resolve()
    await expect(Promise.all([first, second])).resolves.toHaveLength(2)
  })

  it('gives back what a call that failed had set aside', async () => {
    const broken = createScriptedModel([
      {
        text: '',
        during: () => {
          throw new Error('lost')
        },
      },
    ])
    const budget = new TokenBudget(1000, 0)
    await expect(withinBudget(broken, budget, () => {}).generate(asked, { signal })).rejects.toThrow('lost')
    await expect(
      withinBudget(createScriptedModel(['y']), budget, () => {}).generate(asked, { signal }),
    ).resolves.toBeDefined()
  })

  it('is without end where none was given', async () => {
    const budget = new TokenBudget(null, 1e12)
    await withinBudget(createScriptedModel(['y']), budget, () => {}).generate(asked, { signal })
    expect(budget.isSpent).toBe(false)
  })
})
