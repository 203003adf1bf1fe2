import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createCoalescer } from './coalescer.ts'

describe('a coalescer', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('passes on the first at once, and of those that follow the newest at the end of each interval', () => {
    const heard: number[] = []
    const coalescer = createCoalescer<number>(
      100,
      () => 'same',
      (item) => heard.push(item),
    )
    for (const item of [1, 2, 3]) coalescer.push(item)
    expect(heard).toEqual([1])
    vi.advanceTimersByTime(100)
    expect(heard).toEqual([1, 3])
    coalescer.push(4)
    expect(heard).toEqual([1, 3])
    vi.advanceTimersByTime(100)
    expect(heard).toEqual([1, 3, 4])
    vi.advanceTimersByTime(100)
    coalescer.push(5)
    expect(heard).toEqual([1, 3, 4, 5])
    coalescer.stop()
  })

  it('keeps kinds apart, and tells nothing once it has been stopped', () => {
    const heard: string[] = []
    const coalescer = createCoalescer<string>(
      100,
      (item) => item[0] ?? '',
      (item) => heard.push(item),
    )
    for (const item of ['a1', 'b1', 'a2', 'b2']) coalescer.push(item)
    expect(heard).toEqual(['a1', 'b1'])
    coalescer.stop()
    vi.advanceTimersByTime(1000)
    expect(heard).toEqual(['a1', 'b1'])
    expect(vi.getTimerCount()).toBe(0)
  })
})
