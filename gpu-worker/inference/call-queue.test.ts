import { describe, expect, it } from 'vitest'
import { CallQueue } from './call-queue.ts'

interface TestCall {
  name: string
  key: string
  takesSlot: boolean
  attempts: number
}

function createQueue() {
  const queue = new CallQueue<TestCall>(100)
  const add = (name: string, key = name, takesSlot = true): TestCall => {
    const call = { name, key, takesSlot, attempts: 0 }
    queue.add(call)
    return call
  }
  /** As the supervisor does: starts what may start. */
  const start = (slots: number): TestCall[] => {
    const started: TestCall[] = []
    for (let call = queue.next(slots); call !== undefined; call = queue.next(slots)) {
      call.attempts++
      started.push(call)
    }
    return started
  }
  return { queue, add, start }
}

const names = (calls: readonly TestCall[]): string[] => calls.map(({ name }) => name)

describe('the queue of calls', () => {
  it('starts as many as there are slots, in order of arrival, and counting calls besides', () => {
    const { add, start } = createQueue()
    for (const name of ['a', 'b', 'c']) add(name)
    add('count', '', false)
    expect(names(start(2))).toEqual(['count', 'a', 'b'])
  })

  it('lets callers take turns, however many calls one of them brings', () => {
    const { queue, add, start } = createQueue()
    for (const name of ['a1', 'a2', 'a3', 'a4']) add(name, 'a')
    const order: string[] = []
    for (let turn = 0; turn < 6; turn++) {
      const [call] = start(1)
      if (call === undefined) break
      order.push(call.name)
      if (turn === 0) for (const name of ['b1', 'b2']) add(name, 'b')
      queue.remove(call)
    }
    expect(order).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'a4'])
  })

  it('gives a free slot to the caller with the fewest calls at work', () => {
    const { queue, add, start } = createQueue()
    const [b] = [add('b1', 'b'), add('a1', 'a'), add('a2', 'a')]
    expect(names(start(3))).toEqual(['b1', 'a1', 'a2'])
    add('a3', 'a')
    add('b2', 'b')
    queue.remove(b)
    expect(names(start(3))).toEqual(['b2'])
  })

  it('runs what was at work when the process died one at a time, before anything else', () => {
    const { queue, add, start } = createQueue()
    for (const name of ['a', 'b']) add(name)
    const died = start(2)
    add('c')
    for (const call of died.toReversed()) queue.putBack(call)
    for (const expected of ['a', 'b']) {
      const started = start(2)
      expect(names(started)).toEqual([expected])
      for (const call of started) queue.remove(call)
    }
    expect(names(start(2))).toEqual(['c'])
  })
})
