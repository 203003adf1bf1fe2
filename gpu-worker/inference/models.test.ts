import { describe, expect, it } from 'vitest'
import { AppError } from '#shared/errors.ts'
import { chooseDefaultModel, describeRemote, KNOWN_MODELS, parseModelReference } from './models.ts'

describe('parseModelReference', () => {
  it.each([
    [undefined, 'default', { kind: 'default' }],
    ['demo', 'demo', { kind: 'embedded' }],
    ['/models/a b.gguf', 'a b.gguf', { kind: 'file', path: '/models/a b.gguf' }],
    ['C:\\models\\a.GGUF', 'a.GGUF', { kind: 'file', path: 'C:\\models\\a.GGUF' }],
    ['hf:a/b:Q4_K_M', 'hf:a/b:Q4_K_M', { kind: 'remote', uri: 'hf:a/b:Q4_K_M' }],
    ['hf:a/b/c.gguf#dev', 'hf:a/b/c.gguf#dev', { kind: 'remote', uri: 'hf:a/b/c.gguf#dev' }],
    ['https://a.example/x/c.gguf?d=1', 'c.gguf', { kind: 'remote', uri: 'https://a.example/x/c.gguf?d=1' }],
  ])('reads %s', (text, name, source) => {
    expect(parseModelReference(text)).toEqual({ name, source })
  })

  it.each(['demo', '/models/a.gguf', 'hf:a/b/c.gguf#dev', 'https://a.example/x/c.gguf'])(
    'reads %s with a hash',
    (text) => {
      const sha256 = 'Ab'.repeat(32)
      expect(parseModelReference(`${text}#sha256=${sha256}`)).toEqual({
        ...parseModelReference(text),
        sha256: sha256.toLowerCase(),
      })
    },
  )

  it.each(['', 'ab', 'ab'.repeat(33), 'xy'.repeat(32), ` ${'ab'.repeat(32)}`])('refuses the hash "%s"', (sha256) => {
    expect(() => parseModelReference(`demo#sha256=${sha256}`)).toThrow(/what follows #sha256= is no SHA-256/)
  })

  it.each(['qwen', '', 'hf:', 'hf:a', 'https://a.example/', 'ftp://a/b', 'toString', 'x'.repeat(5000)])(
    'refuses %.20s',
    (text) => {
      expect(() => parseModelReference(text)).toThrow(AppError)
    },
  )

  it('lists the known names to whoever mistypes one', () => {
    try {
      parseModelReference('qwen2.5-8b')
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid_input', hint: expect.stringContaining(KNOWN_MODELS.join(', ')) })
    }
  })
})

describe('chooseDefaultModel', () => {
  const GIB = 2 ** 30
  const choose = (gpuFree: number | null, free: number, mathCores: number) =>
    chooseDefaultModel({
      gpu: gpuFree === null ? null : { name: 'x', memoryBytes: 24 * GIB, memoryUsedBytes: (24 - gpuFree) * GIB },
      memoryFreeBytes: free * GIB,
      mathCores,
    }).name

  it('goes by free GPU memory, else by cores and memory, and never takes the demo model', () => {
    expect(choose(20, 8, 4)).toBe('qwen2.5-7b')
    expect(choose(5, 8, 4)).toBe('qwen2.5-3b')
    expect(choose(3, 8, 4)).toBe('qwen2.5-1.5b')
    expect(choose(1, 32, 16)).toBe('qwen2.5-3b')
    expect(choose(null, 8, 4)).toBe('qwen2.5-1.5b')
    expect(choose(null, 1, 1)).toBe('qwen2.5-0.5b')
  })
})

describe('describeRemote', () => {
  it('names the file, and that a split one has more parts', () => {
    const { source } = parseModelReference('qwen2.5-7b')
    expect(source.kind === 'remote' && describeRemote(source.uri)).toBe(
      'qwen2.5-7b-instruct-q4_k_m-00001-of-00002.gguf from huggingface.co/Qwen/Qwen2.5-7B-Instruct-GGUF (all 2 parts, into one folder)',
    )
  })
})
