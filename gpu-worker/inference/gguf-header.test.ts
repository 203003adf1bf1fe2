import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeTinyModel } from '#scripts/tiny-model.ts'
import { GgufProblem, parseGgufHeader } from './gguf-header.ts'

let folder: string
let bytes: Buffer
beforeAll(async () => {
  folder = await mkdtemp(join(os.tmpdir(), 'millwright-gguf-'))
  await writeTinyModel(join(folder, 'tiny.gguf'))
  bytes = await readFile(join(folder, 'tiny.gguf'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('parseGgufHeader', () => {
  it('reads architecture, numbers, and the size that the tensors need', () => {
    const header = parseGgufHeader(bytes)
    expect(header?.architecture).toBe('qwen2')
    expect(header?.numbers.get('qwen2.context_length')).toBe(8192)
    // What is more is padding to the alignment of 32.
    expect(bytes.length - (header?.fileBytesMin ?? 0)).toBeLessThan(32)
    expect(bytes.length).toBeGreaterThanOrEqual(header?.fileBytesMin ?? 0)
  })

  it('asks for more wherever the bytes end within the header', () => {
    for (let length = 4; length < 2000; length += 7) expect(parseGgufHeader(bytes.subarray(0, length))).toBe(null)
  })

  it('refuses another magic, another version, and counts that no file has', () => {
    const changed = (at: number, ...values: number[]) => {
      const copy = Buffer.from(bytes)
      copy.set(values, at)
      return copy
    }
    expect(() => parseGgufHeader(changed(0, 0x50, 0x4b))).toThrow(GgufProblem)
    expect(() => parseGgufHeader(changed(4, 9))).toThrow(/version 9/)
    expect(() => parseGgufHeader(changed(8, 255, 255, 255, 255, 255))).toThrow(/claims/)
    expect(() => parseGgufHeader(changed(24, 255, 255, 255, 255, 255))).toThrow(/claims a text/)
  })
})
