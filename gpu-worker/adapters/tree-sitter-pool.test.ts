import { afterEach, describe, expect, it } from 'vitest'
import type { SourceParser } from '../ports/source-parser.ts'
import { createTreeSitterPool } from './tree-sitter-pool.ts'

let pool: SourceParser
afterEach(() => pool.close())

describe('createTreeSitterPool', () => {
  it('gives each text its own answer, however many at once', async () => {
    pool = createTreeSitterPool(2)
    const names = Array.from({ length: 20 }, (_, at) => `f${at}`)
    const outcomes = await Promise.all(names.map((name) => pool.parse('python', `def ${name}():\n    pass\n`)))
    expect(outcomes.map((each) => (each.kind === 'parsed' ? each.definitions[0]?.name : each.kind))).toEqual(names)
  })

  it('goes on beside a text that takes too long', async () => {
    pool = createTreeSitterPool(2, { deadlineMs: 1500 })
    const order: string[] = []
    const slow = pool.parse('javascript', '('.repeat(1_000_000)).then(({ kind }) => order.push(kind))
    const quick = Array.from({ length: 4 }, () => pool.parse('python', 'x = 1\n').then(({ kind }) => order.push(kind)))
    await Promise.all([slow, ...quick])
    // Half of the quick ones may have been given to the thread that is busy.
    expect(order.slice(0, 2)).toEqual(['parsed', 'parsed'])
    expect(order.toSorted()).toEqual(['parsed', 'parsed', 'parsed', 'parsed', 'timed_out'])
  })

  it('takes nothing more once it is closed', async () => {
    pool = createTreeSitterPool(2)
    const underWay = pool.parse('python', 'x = 1\n')
    await Promise.all([pool.close(), expect(underWay).rejects.toMatchObject({ code: 'cancelled' })])
    await expect(pool.parse('python', 'x = 1\n')).rejects.toMatchObject({ code: 'cancelled' })
  })
})
