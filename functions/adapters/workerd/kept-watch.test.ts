import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { keepWatching } from './kept-watch.ts'
import { RetryGate } from './retry-gate.ts'

/** Stands for the other object: keeps what was registered, and answers or not. */
function createTeller() {
  const registered = new Set<(news: string | null) => void>()
  const teller = {
    registered,
    begun: 0,
    checks: 0,
    answer: async (): Promise<void> => undefined,
    begin: async (hear: (news: string | null) => void) => {
      teller.begun++
      registered.add(hear)
      return {
        check: () => {
          teller.checks++
          return teller.answer()
        },
        [Symbol.dispose]: () => void registered.delete(hear),
      }
    },
    tell(news: string): void {
      for (const hear of registered) hear(news)
    },
  }
  return teller
}

describe('a kept watch', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  async function start() {
    const teller = createTeller()
    const heard: (string | null)[] = []
    const gate = new RetryGate({ now: () => Date.now() })
    const stop = await keepWatching<string>(teller.begin, (news) => heard.push(news), gate)
    return { teller, heard, stop }
  }

  it('is asked whether it stands only after it was silent for a while, and stays as it is where it answers', async () => {
    const { teller, heard, stop } = await start()
    for (let second = 0; second < 60; second++) {
      teller.tell('news')
      await vi.advanceTimersByTimeAsync(1000)
    }
    expect(teller.checks).toBe(0)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(teller.checks).toBeGreaterThan(0)
    expect(teller.checks).toBeLessThanOrEqual(12)
    expect([teller.begun, heard.length]).toEqual([1, 60])
    stop()
  })

  it.each([
    ['fails', () => Promise.reject(new Error('gone'))],
    ['does not come', () => new Promise<void>(() => undefined)],
  ])('is begun again where the answer %s, and hears nothing by its old registration', async (_how, answer) => {
    const { teller, heard, stop } = await start()
    const [old] = teller.registered
    // The new registration stands.
    teller.answer = () => {
      teller.answer = async () => undefined
      return answer()
    }
    await vi.advanceTimersByTimeAsync(10_000)
    expect([teller.begun, teller.registered.size, heard]).toEqual([2, 1, [null]])
    old?.('by the old one')
    teller.tell('by the new one')
    expect(heard).toEqual([null, 'by the new one'])
    stop()
  })

  it('hears and asks nothing more once it was stopped', async () => {
    const { teller, heard, stop } = await start()
    const [hear] = teller.registered
    stop()
    hear?.('late')
    teller.answer = () => Promise.reject(new Error('gone'))
    await vi.advanceTimersByTimeAsync(60_000)
    expect([teller.begun, teller.checks, teller.registered.size, heard]).toEqual([1, 0, 0, []])
    expect(vi.getTimerCount()).toBe(0)
  })
})
