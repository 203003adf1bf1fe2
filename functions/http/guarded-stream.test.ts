import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { guardStream } from './guarded-stream.ts'

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)

describe('a guarded stream', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function guarded(options: { bytesMax?: number; isStillGood?: () => Promise<boolean> } = {}) {
    const source = Promise.withResolvers<ReadableStreamDefaultController<Uint8Array>>()
    const cancelled = vi.fn()
    const onEnd = vi.fn()
    const stream = guardStream(new ReadableStream({ start: source.resolve, cancel: cancelled }), {
      bytesMax: options.bytesMax ?? 1000,
      isStillGood: options.isStillGood ?? (async () => true),
      keepAliveMs: 10_000,
      onEnd,
    })
    return { source: source.promise, cancelled, onEnd, reader: stream.getReader() }
  }

  it('passes on what comes, and ends with its source', async () => {
    const { source, reader, onEnd } = guarded()
    const controller = await source
    controller.enqueue(new TextEncoder().encode('one'))
    expect(text((await reader.read()).value)).toBe('one')
    controller.close()
    expect((await reader.read()).done).toBe(true)
    expect(onEnd).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends for a reader that leaves too much unread, and holds no more for it', async () => {
    const { source, reader, onEnd, cancelled } = guarded({ bytesMax: 100 })
    const controller = await source
    for (let index = 0; index < 50; index++) controller.enqueue(new Uint8Array(10))
    await vi.waitFor(() => expect(onEnd).toHaveBeenCalledTimes(1))
    expect(cancelled).toHaveBeenCalledTimes(1)
    let bytes = 0
    for (let part = await reader.read(); !part.done; part = await reader.read()) bytes += part.value.byteLength
    expect(bytes).toBe(100)
  })

  it('ends when its token is no longer good', async () => {
    let isGood = true
    const { reader, onEnd } = guarded({ isStillGood: async () => isGood })
    await vi.advanceTimersByTimeAsync(6000)
    expect(onEnd).not.toHaveBeenCalled()
    isGood = false
    await vi.advanceTimersByTimeAsync(6000)
    expect(onEnd).toHaveBeenCalledTimes(1)
    expect((await reader.read()).done).toBe(true)
  })

  it('says something at least every fifteen seconds', async () => {
    const { reader } = guarded()
    const first = reader.read()
    await vi.advanceTimersByTimeAsync(15_000)
    expect(text((await first).value)).toBe(': keepalive\n\n')
    await reader.cancel()
    expect(vi.getTimerCount()).toBe(0)
  })
})
