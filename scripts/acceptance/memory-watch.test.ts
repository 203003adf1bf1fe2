import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { watchMemory, withDescendants } from './memory-watch.ts'

describe('the watch over memory', () => {
  it('finds children and their children, and nobody else', () => {
    const parents = new Map([
      [2, 1],
      [3, 2],
      [4, 3],
      [5, 9],
      [9, 0],
    ])
    expect(withDescendants([2], parents).toSorted()).toEqual([2, 3, 4])
    expect(withDescendants([2, 9], parents).toSorted()).toEqual([2, 3, 4, 5, 9])
  })

  it.skipIf(process.platform !== 'linux')('adds up a process and what it has started (Linux only)', async () => {
    const held = 64
    // Each ends with the one that started it.
    const ends = "process.stdin.on('end', () => process.exit()).resume()"
    const child = `const held = Buffer.alloc(${held} * 1024 * 1024, 1); console.log(held.length); ${ends}`
    const starts = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: ['pipe', 'inherit', 'inherit'] })`
    const parent = spawn(process.execPath, ['-e', `${starts}; ${ends}`])
    try {
      await once(parent.stdout, 'data')
      const alone = watchMemory(() => [process.pid]).stop() ?? 0
      const both = watchMemory(() => [parent.pid ?? 0]).stop() ?? 0
      // Two Nodes and the buffer.
      expect(both).toBeGreaterThan(held + 40)
      // The parent is ours, too.
      expect(alone).toBeGreaterThan(both)
      const gone = watchMemory(() => [2 ** 22 + 1])
      expect(gone.stop()).toBe(0)
    } finally {
      parent.stdin.end()
    }
  })
})
