import { describe, expect, it } from 'vitest'
import { createPace } from './pace.ts'

async function work(pace: () => Promise<void> | null, isDone: () => boolean): Promise<number> {
  let turns = 0
  while (!isDone()) {
    const pause = pace()
    if (pause === null) continue
    turns++
    await pause
  }
  return turns
}

describe('createPace', () => {
  it('lets timers run during work that never waits', async () => {
    let isDone = false
    setTimeout(() => (isDone = true), 50)
    expect(await work(createPace('Cannot work', new AbortController().signal), () => isDone)).toBeGreaterThan(0)
  })

  it('ends the work at its deadline', async () => {
    const pace = createPace('Cannot work', AbortSignal.timeout(50))
    await expect(work(pace, () => false)).rejects.toMatchObject({ code: 'timeout' })
  })
})
