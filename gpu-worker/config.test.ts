import { describe, expect, it } from 'vitest'
import { parseWorkerConfig } from './config.ts'

const environment = {
  NATS_URL: 'nats://worker:pass@127.0.0.1:4333',
  MILLWRIGHT_REPOSITORY: '/src/ledger',
  MILLWRIGHT_DATA: '/data',
}

describe("the worker's models", () => {
  it('are none where nothing is said', () => {
    expect(parseWorkerConfig([], environment).models).toEqual([])
  })

  it('come from the environment, separated by commas', () => {
    const MILLWRIGHT_MODEL = 'demo, fast=openai:http://127.0.0.1:8080/v1#qwen,'
    expect(parseWorkerConfig([], { ...environment, MILLWRIGHT_MODEL }).models).toEqual([
      'demo',
      'fast=openai:http://127.0.0.1:8080/v1#qwen',
    ])
  })

  it('come from the flags where there are any, commas and all', () => {
    const argv = ['--model', '/models/a,b.gguf', '--model', 'demo']
    expect(parseWorkerConfig(argv, { ...environment, MILLWRIGHT_MODEL: 'qwen2.5-7b' }).models).toEqual([
      '/models/a,b.gguf',
      'demo',
    ])
  })
})

describe('the levers', () => {
  const levers = (more: NodeJS.ProcessEnv) => parseWorkerConfig([], { ...environment, ...more }).levers

  it('are as it is best where nothing is said', () => {
    expect(levers({})).toEqual({ promptLookup: true, flashAttention: 'auto', kvCache: 'f16', draftModel: null })
  })

  it('come from the environment', () => {
    expect(
      levers({
        MILLWRIGHT_PROMPT_LOOKUP: 'off',
        MILLWRIGHT_FLASH_ATTENTION: 'on',
        MILLWRIGHT_KV_CACHE: 'q8_0',
        MILLWRIGHT_DRAFT_MODEL: 'models/small.gguf',
      }),
    ).toEqual({ promptLookup: false, flashAttention: 'on', kvCache: 'q8_0', draftModel: 'models/small.gguf' })
  })

  it.each([
    [{ MILLWRIGHT_FLASH_ATTENTION: 'yes' }, /MILLWRIGHT_FLASH_ATTENTION/],
    [{ MILLWRIGHT_KV_CACHE: 'q2' }, /MILLWRIGHT_KV_CACHE/],
    [{ MILLWRIGHT_PROMPT_LOOKUP: '1' }, /MILLWRIGHT_PROMPT_LOOKUP/],
    [{ MILLWRIGHT_DRAFT_MODEL: 'qwen2.5-0.5b' }, /MILLWRIGHT_DRAFT_MODEL: must be the path of a .gguf file/],
    [{ MILLWRIGHT_KV_CACHE: 'q8_0', MILLWRIGHT_FLASH_ATTENTION: 'off' }, /needs flash attention/],
  ])('refuse %j', (more, message) => {
    expect(() => levers(more)).toThrow(message)
  })
})
