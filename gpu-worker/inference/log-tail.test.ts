import { describe, expect, it } from 'vitest'
import { createLogTail, withoutFolders } from './log-tail.ts'
import { chooseThreads } from './threads.ts'

describe('a log tail', () => {
  it('keeps the last lines, also of output that comes in pieces', () => {
    const tail = createLogTail(2)
    tail.write('one\ntw')
    tail.write('o\n\nthree\nfo')
    expect(tail.lines()).toEqual(['two', 'three', 'fo'])
  })

  it('takes folders out of paths, and leaves addresses', () => {
    expect(withoutFolders('cannot load /home/ann/my.models/a.gguf: bad')).toBe('cannot load a.gguf: bad')
    expect(withoutFolders("'C:\\Users\\ann\\a.gguf' at https://a.example/b/c.gguf")).toBe(
      "'a.gguf' at https://a.example/b/c.gguf",
    )
  })
})

describe('chooseThreads', () => {
  it('leaves a core to the rest, and never takes a busy one', () => {
    expect(chooseThreads({ mathCores: 2, logicalCores: 2, load: 0 })).toBe(1)
    expect(chooseThreads({ mathCores: 8, logicalCores: 16, load: 0.5 })).toBe(8)
    expect(chooseThreads({ mathCores: 8, logicalCores: 16, load: 11.2 })).toBe(3)
    expect(chooseThreads({ mathCores: 8, logicalCores: 16, load: 40 })).toBe(1)
  })
})
