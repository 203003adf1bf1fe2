import { describe, expect, it } from 'vitest'
import { BatchPlanner } from './batch-planner.ts'

interface Item {
  tokens: number[]
  evaluationPriority: number
}

const item = (slot: number, tokens: number): Item => ({ tokens: Array(tokens).fill(7), evaluationPriority: slot + 1 })

/** As the engine does: asks again, at once, while it is given nothing. Answers slot and tokens, and the questions. */
function ask(planner: BatchPlanner, items: readonly Item[], size = 512) {
  for (let questions = 1; questions < 1000; questions++) {
    const planned = planner.plan(items, size)
    if (planned.length > 0) {
      return {
        questions,
        batch: planned.map(({ item, processAmount }) => [item.evaluationPriority - 1, processAmount]),
      }
    }
  }
  throw new Error('The planner waits for ever')
}

function createPlanner(...live: number[]) {
  const clock = { now: 0 }
  const planner = new BatchPlanner({ promptTokensMax: 128, now: () => clock.now })
  for (const slot of live) planner.enter(slot, 'answer')
  /** A batch of a lone prompt that takes so long. */
  const evaluate = (ms: number) => {
    ask(planner, [item(0, 1000)])
    clock.now += ms
    planner.finished(0)
  }
  return { planner, evaluate }
}

describe('a batch', () => {
  it('waits for every slot at work, but not for ever', () => {
    const { planner } = createPlanner(0, 1, 2)
    expect(planner.plan([item(0, 1), item(1, 1)], 512)).toEqual([])
    expect(ask(planner, [item(0, 1), item(1, 1), item(2, 1)]).batch).toHaveLength(3)
    const { questions, batch } = ask(planner, [item(0, 1)])
    expect(batch).toEqual([[0, 1]])
    expect(questions).toBeGreaterThan(30)
    planner.leave(1)
    planner.leave(2)
    expect(ask(planner, [item(0, 1)]).questions).toBe(1)
  })

  it('has the slots in their order, whoever came first', () => {
    const { planner } = createPlanner(0, 1, 2)
    expect(ask(planner, [item(2, 1), item(0, 1), item(1, 1)]).batch).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ])
  })

  it('takes every answer’s next token first, and prompts in equal shares of what is left', () => {
    const plan = (items: readonly Item[], answers: readonly number[], size?: number) =>
      ask(createPlanner(...answers).planner, items, size).batch
    expect(plan([item(1, 200), item(3, 1), item(0, 200)], [3])).toEqual([
      [0, 16],
      [1, 16],
      [3, 1],
    ])
    expect(plan([item(0, 4), item(1, 200)], [])).toEqual([
      [0, 4],
      [1, 28],
    ])
    expect(plan([item(0, 200), item(1, 1), item(2, 1)], [1, 2], 10)).toEqual([
      [0, 8],
      [1, 1],
      [2, 1],
    ])
  })

  it('takes an answer’s guessed tokens as part of the answer, and what does not fit in the next batch', () => {
    const { planner } = createPlanner(0, 2)
    planner.enter(1, 'prompt')
    expect(ask(planner, [item(0, 8), item(1, 200), item(2, 4)], 20).batch).toEqual([
      [0, 8],
      [1, 8],
      [2, 4],
    ])
    expect(ask(planner, [item(0, 8), item(1, 200), item(2, 4)], 10).batch).toEqual([
      [0, 8],
      [2, 2],
    ])
    expect(planner.answers).toBe(2)
  })

  it('is told of with its tokens and time where it had answers only', () => {
    const batches: number[][] = []
    let now = 0
    const planner = new BatchPlanner({
      promptTokensMax: 128,
      onAnswersEvaluated: (...batch) => batches.push(batch),
      now: () => now,
    })
    planner.enter(0, 'answer')
    ask(planner, [item(0, 4)])
    now = 70
    planner.finished(0)
    planner.finished(0)
    planner.enter(1, 'prompt')
    ask(planner, [item(0, 1), item(1, 30)])
    now = 90
    planner.finished(0)
    expect(batches).toEqual([[4, 70]])
  })

  it('is not over because a slot that is not in it got a token, or left', () => {
    const batches: number[][] = []
    let now = 0
    const planner = new BatchPlanner({
      promptTokensMax: 128,
      onAnswersEvaluated: (...batch) => batches.push(batch),
      now: () => now,
    })
    for (const slot of [0, 1, 2]) planner.enter(slot, 'answer')
    ask(planner, [item(0, 1), item(1, 3)])
    now = 2
    planner.finished(2)
    planner.leave(2)
    now = 90
    planner.finished(1)
    planner.finished(0)
    expect(batches).toEqual([[4, 90]])
  })

  it('takes more of a prompt while it is fast, up to a limit, and less when it is slow', () => {
    const { planner, evaluate } = createPlanner()
    for (let count = 0; count < 4; count++) evaluate(50)
    expect(planner.pieceTokens()).toBe(128)
    evaluate(700)
    expect(planner.pieceTokens()).toBe(64)
    evaluate(500)
    expect(planner.pieceTokens()).toBe(64)
    for (let count = 0; count < 5; count++) evaluate(5000)
    expect(planner.pieceTokens()).toBe(16)
  })

  it('takes less of a prompt where other slots wait for the same batch', () => {
    const { planner, evaluate } = createPlanner()
    for (let count = 0; count < 4; count++) evaluate(50)
    planner.enter(0, 'prompt')
    for (const slot of [1, 2]) planner.enter(slot, 'answer')
    expect(planner.pieceTokens()).toBe(128)
    evaluate(500)
    expect(planner.pieceTokens()).toBe(64)
    evaluate(300)
    expect(planner.pieceTokens()).toBe(64)
  })

  it('is not judged slow by the time in which nobody asked', () => {
    const { planner, evaluate } = createPlanner()
    evaluate(500)
    planner.finished(0)
    expect(planner.pieceTokens()).toBe(32)
  })

  it('fits the pieces of all prompts at work', () => {
    const { planner, evaluate } = createPlanner()
    for (let count = 0; count < 4; count++) evaluate(50)
    for (const slot of [0, 1]) planner.enter(slot, 'prompt')
    planner.enter(2, 'answer')
    expect(planner.pieceTokens()).toBe(64)
  })
})
