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

describe('the disk for prompts without a slot', () => {
  const bytes = (argv: string[], text?: string) =>
    parseWorkerConfig(argv, { ...environment, ...(text === undefined ? {} : { MILLWRIGHT_STATES_MB: text }) })
      .statesBytesMax

  it('is in megabytes, or what the machine can spare where nothing is said', () => {
    expect([bytes([]), bytes([], '250'), bytes([], '0'), bytes(['--states-mb', '1'], '250')]).toEqual([
      undefined,
      250_000_000,
      0,
      1_000_000,
    ])
  })

  it.each(['-1', '1.5', '2GB', '', '99999999'])('is not %j', (text) => {
    expect(() => bytes([], text)).toThrow(/MILLWRIGHT_STATES_MB: must be a whole number of megabytes/)
  })
})

describe('the roles', () => {
  const NATS_URL = 'nats://worker:pass@127.0.0.1:4333'

  it('are both where nothing is said', () => {
    expect(parseWorkerConfig([], environment)).toMatchObject({
      servesModels: true,
      repository: { folder: '/src/ledger', dataFolder: '/data' },
      modelsFolder: '/data/models',
    })
  })

  it('come one by one from flags or environment', () => {
    const argv = ['--role', 'model', '--models', '/models']
    expect(parseWorkerConfig(argv, { NATS_URL })).toMatchObject({
      servesModels: true,
      repository: null,
      modelsFolder: '/models',
      workspace: undefined,
    })
    expect(parseWorkerConfig([], { ...environment, MILLWRIGHT_ROLES: 'repository' }).servesModels).toBe(false)
    const both = { ...environment, MILLWRIGHT_ROLES: 'model, repository' }
    expect(parseWorkerConfig([], both)).toMatchObject({ servesModels: true, repository: { folder: '/src/ledger' } })
    expect(parseWorkerConfig(['--role', 'model'], both).repository).toBe(null)
  })

  it.each([
    [['--role', 'model'], /MILLWRIGHT_MODELS: not set \(--models DIR/],
    [['--role', 'repository'], /MILLWRIGHT_REPOSITORY: not set \(--repo PATH; not needed with --role model alone\)/],
    [['--role', 'repository', '--repo', '/src'], /MILLWRIGHT_DATA: not set/],
    [['--role', 'gpu'], /MILLWRIGHT_ROLES: must be of repository, model/],
  ])('name what %j lacks', (argv, message) => {
    expect(() => parseWorkerConfig(argv, { NATS_URL })).toThrow(message)
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

describe('the permissions for hooks', () => {
  it('allow no hook files of git unless the operator says so, and name the environments of pre-commit where it keeps them', () => {
    expect(parseWorkerConfig([], environment)).toMatchObject({
      gitHooks: false,
      preCommitStore: expect.stringMatching(/\/\.cache\/pre-commit$/),
    })
    expect(parseWorkerConfig([], { ...environment, MILLWRIGHT_GIT_HOOKS: '1', XDG_CACHE_HOME: '/c' })).toMatchObject({
      gitHooks: true,
      preCommitStore: '/c/pre-commit',
    })
    expect(parseWorkerConfig([], { ...environment, XDG_CACHE_HOME: '/c', PRE_COMMIT_HOME: '/p' }).preCommitStore).toBe(
      '/p',
    )
    expect(() => parseWorkerConfig([], { ...environment, MILLWRIGHT_GIT_HOOKS: 'yes' })).toThrow(
      'MILLWRIGHT_GIT_HOOKS: must be 1 or 0',
    )
  })
})
