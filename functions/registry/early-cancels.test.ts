import { describe, expect, it } from 'vitest'
import { toWorkspaceId } from '#shared/ids.ts'
import { EarlyCancels } from './early-cancels.ts'

const here = toWorkspaceId('here')
const there = toWorkspaceId('there')

function start() {
  const clock = { nowMs: Date.UTC(2026, 0, 1), now: () => clock.nowMs }
  return { clock, cancels: new EarlyCancels(clock) }
}

describe('early cancels', () => {
  it('cancel a call of their own workspace, once, and no call of the same key in another', () => {
    const { cancels } = start()
    cancels.note(here, 'call')
    expect(cancels.take(there, 'call')).toBe(false)
    expect(cancels.take(here, 'call')).toBe(true)
    expect(cancels.take(here, 'call')).toBe(false)
  })

  it('are crowded out by those of their own workspace alone', () => {
    const { cancels } = start()
    cancels.note(here, 'mine')
    for (let index = 0; index < 1000; index++) cancels.note(there, `flood ${index}`)
    expect(cancels.take(here, 'mine')).toBe(true)
    expect(cancels.take(there, 'flood 0')).toBe(true)
    cancels.note(there, 'one more')
    cancels.note(there, 'and another')
    expect(cancels.take(there, 'flood 1')).toBe(false)
    expect(cancels.take(there, 'flood 2')).toBe(true)
  })

  it('are good for a minute, also where the same is noted again', () => {
    const { clock, cancels } = start()
    cancels.note(here, 'first')
    cancels.note(here, 'second')
    clock.nowMs += 60_000
    cancels.note(here, 'first')
    expect(cancels.take(here, 'second')).toBe(true)
    clock.nowMs += 1
    cancels.note(there, 'other')
    expect(cancels.take(here, 'first')).toBe(true)
    cancels.note(here, 'third')
    clock.nowMs += 60_001
    expect(cancels.take(here, 'third')).toBe(false)
  })
})
