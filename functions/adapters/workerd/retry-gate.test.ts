import { describe, expect, it } from 'vitest'
import { RetryGate } from './retry-gate.ts'

describe('a retry gate', () => {
  it('lets everybody try until one fails, then one at a time, and everybody again after a success', () => {
    const clock = { nowMs: 1000, now: () => clock.nowMs }
    const gate = new RetryGate(clock)
    expect([gate.mayTry(), gate.mayTry()]).toEqual([true, true])
    gate.failed()
    expect(gate.mayTry()).toBe(false)
    clock.nowMs += 5000
    expect([gate.mayTry(), gate.mayTry(), gate.mayTry()]).toEqual([true, false, false])
    gate.failed()
    clock.nowMs += 5000
    expect(gate.mayTry()).toBe(true)
    gate.succeeded()
    expect([gate.mayTry(), gate.mayTry()]).toEqual([true, true])
  })
})
