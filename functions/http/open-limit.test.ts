import { describe, expect, it } from 'vitest'
import { createOpenLimit } from './open-limit.ts'

describe('createOpenLimit', () => {
  it('lets so many in, says when the next may come, and counts each subject by itself', () => {
    const clock = { nowMs: 1000, now: () => clock.nowMs }
    const limit = createOpenLimit(2, 500, clock)
    expect([limit.tryOpen('a'), limit.tryOpen('a')]).toEqual([null, null])
    clock.nowMs += 100
    expect(limit.tryOpen('a')).toBe(400)
    expect(limit.tryOpen('b')).toBeNull()
    clock.nowMs += 400
    expect(limit.tryOpen('a')).toBeNull()
  })
})
