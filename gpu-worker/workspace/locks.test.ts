import { describe, expect, it } from 'vitest'
import { KeyedLocks } from './locks.ts'

describe('KeyedLocks', () => {
  it('runs the work of one key one after another, in the order of asking', async () => {
    const locks = new KeyedLocks()
    const order: number[] = []
    let running = 0
    await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        locks.run('a', async () => {
          running += 1
          expect(running).toBe(1)
          await Promise.resolve()
          order.push(index)
          running -= 1
        }),
      ),
    )
    expect(order).toEqual(Array.from({ length: 50 }, (_, index) => index))
    expect(locks.size).toBe(0)
  })

  it('lets different keys run side by side', async () => {
    const locks = new KeyedLocks()
    const { promise, resolve } = Promise.withResolvers<void>()
    const first = locks.run('a', () => promise)
    await expect(locks.run('b', async () => 'done')).resolves.toBe('done')
    resolve()
    await first
    expect(locks.size).toBe(0)
  })

  it('goes on after work that failed', async () => {
    const locks = new KeyedLocks()
    const failing = locks.run('a', () => Promise.reject(new Error('broken')))
    const next = locks.run('a', async () => 1)
    await expect(failing).rejects.toThrow('broken')
    await expect(next).resolves.toBe(1)
    expect(locks.size).toBe(0)
  })

  it('gives up waiting when aborted, without running and without losing the others their turn', async () => {
    const locks = new KeyedLocks()
    const { promise, resolve } = Promise.withResolvers<void>()
    const controller = new AbortController()
    const holder = locks.run('a', () => promise)
    let ran = false
    const waiting = locks.run(
      'a',
      async () => {
        ran = true
      },
      controller.signal,
    )
    const last = locks.run('a', async () => 'last')
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' })
    resolve()
    await holder
    await expect(last).resolves.toBe('last')
    await expect(locks.run('a', async () => 1, controller.signal)).rejects.toMatchObject({ code: 'cancelled' })
    expect(ran).toBe(false)
    expect(locks.size).toBe(0)
  })

  it('keeps a lock that was handed over just before the abort', async () => {
    const locks = new KeyedLocks()
    const { promise, resolve } = Promise.withResolvers<void>()
    const controller = new AbortController()
    const holder = locks.run('a', () => promise)
    const waiting = locks.run('a', async () => 'ran', controller.signal)
    resolve()
    await holder
    controller.abort()
    await expect(waiting).resolves.toBe('ran')
    expect(locks.size).toBe(0)
  })
})
