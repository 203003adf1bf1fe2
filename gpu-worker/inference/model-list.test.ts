import { describe, expect, it } from 'vitest'
import { findKey, parseModelList, parseRemoteList } from './model-list.ts'

describe('parseModelList', () => {
  it('takes the default model where nothing is said', () => {
    expect(parseModelList([])).toEqual([{ name: 'default', source: { kind: 'default' } }])
  })

  it('keeps the order, and lets each have a name of its own', () => {
    const models = parseModelList(['demo', 'big=qwen2.5-7b', 'mine=/models/a=b.gguf', '/models/a=b.gguf'])
    expect(models.map(({ name }) => name)).toEqual(['demo', 'big', 'mine', 'a=b.gguf'])
    expect(models[2]).toEqual({ name: 'mine', source: { kind: 'file', path: '/models/a=b.gguf' } })
    const sha256 = 'ab'.repeat(32)
    const hashed = parseModelList([`mine=/models/a.gguf#sha256=${sha256}`, `b.gguf#sha256=${sha256}`])
    expect(hashed).toEqual([
      { name: 'mine', source: { kind: 'file', path: '/models/a.gguf' }, sha256 },
      { name: 'b.gguf', source: { kind: 'file', path: 'b.gguf' }, sha256 },
    ])
  })

  it.each([
    ['openai:http://127.0.0.1:8080/v1#qwen', 'qwen', 'http://127.0.0.1:8080/v1', 'qwen', null],
    ['openai:http://127.0.0.1:8080/v1/', '127.0.0.1:8080', 'http://127.0.0.1:8080/v1', null, null],
    [
      'openai:https://gpu.example/v1?key_from=GPU_KEY#Qwen/Qwen2.5',
      'Qwen/Qwen2.5',
      'https://gpu.example/v1',
      'Qwen/Qwen2.5',
      'GPU_KEY',
    ],
    ['fast=openai:http://[::1]:11434/v1#qwen2.5-coder:7b', 'fast', 'http://[::1]:11434/v1', 'qwen2.5-coder:7b', null],
    ['openai:http://127.0.0.1/v1#100%', '100%', 'http://127.0.0.1/v1', '100%', null],
  ])('reads %s', (text, name, url, model, keyVariable) => {
    expect(parseModelList([text])).toEqual([{ name, server: { url, model, keyVariable } }])
  })

  it.each([
    ['openai:', /must begin with http/],
    ['openai:ftp://a.example/v1', /must begin with http/],
    ['openai:file:///etc/passwd', /must begin with http/],
    ['openai:http://someone:sesame@a.example/v1', /must not hold credentials/],
    ['openai:http://a.example/v1?api_key=sesame', /may only have key_from/],
    ['openai:http://a.example/v1?key_from=K&x=sesame', /may only have key_from/],
    ['openai:http://a.example/v1?key_from=sk-sesame', /name of an environment variable/],
    [`openai:http://a.example/v1#sha256=${'ab'.repeat(32)}`, /does not show its file/],
    ['x=', /Cannot use model/],
    ['=demo', /Cannot use model/],
  ])('refuses %s, and repeats no secret', (text, message) => {
    const parse = () => parseModelList([text])
    expect(parse).toThrow(expect.objectContaining({ code: 'invalid_input', message: expect.stringMatching(message) }))
    expect(parse).not.toThrow(/sesame/)
  })

  it('refuses two models of one name', () => {
    expect(() => parseModelList(['demo', 'demo=qwen2.5-3b'])).toThrow(/two models of the name "demo"/)
  })
})

describe('findKey', () => {
  const server = (url: string, keyVariable: string | null = null) => ({ url, model: null, keyVariable })
  const environment = { OPENAI_API_KEY: 'general', GPU_KEY: 'special', EMPTY: '' }

  it('sends the general key to this machine and over https only', () => {
    for (const url of ['http://127.0.0.1:1/v1', 'http://localhost:1/v1', 'http://[::1]:1/v1', 'https://a.example/v1']) {
      expect(findKey(server(url), environment)).toBe('general')
    }
    for (const url of ['http://gpu.example/v1', 'http://127.0.0.1.a.example/v1', 'http://192.168.1.2/v1']) {
      expect(findKey(server(url), environment)).toBe(null)
    }
    expect(findKey(server('https://a.example/v1'), {})).toBe(null)
  })

  it('sends a key that the configuration names wherever it says, and misses one that is not set', () => {
    expect(findKey(server('http://gpu.example/v1', 'GPU_KEY'), environment)).toBe('special')
    expect(() => findKey(server('http://gpu.example/v1', 'EMPTY'), environment)).toThrow(/EMPTY is not set/)
    expect(() => findKey(server('http://gpu.example/v1', 'OTHER'), environment)).toThrow(/OTHER is not set/)
  })
})

describe('parseRemoteList', () => {
  it('takes names of other workers’ models, and addresses', () => {
    const { here, remoteNames } = parseRemoteList([
      'big',
      'openai:http://127.0.0.1:1/v1#a',
      'b=openai:http://127.0.0.1:2/v1',
    ])
    expect(remoteNames).toEqual(['big'])
    expect(here.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(parseRemoteList([])).toEqual({ here: [], remoteNames: [] })
  })

  it.each(['big=qwen2.5-7b', '/models/a.gguf'])('refuses %s, which would have to run here', (text) => {
    expect(() => parseRemoteList([text])).toThrow('runs no models itself')
  })
})
