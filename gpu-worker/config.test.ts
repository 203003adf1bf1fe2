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
