import { describe, expect, it } from 'vitest'
import { createScriptedModel } from '#test/support/scripted-model.ts'
import type { LanguageModel } from '../ports/language-model.ts'
import { createModelSet, type RemoteModels } from './model-set.ts'

const model = (name: string, more: Partial<LanguageModel> = {}): LanguageModel => ({
  ...createScriptedModel(['x']),
  name,
  ...more,
})

it('picks by name, the first where none is named, and lists what there is to whoever names another', async () => {
  const set = createModelSet([model('one'), model('two')])
  expect((await set.pick(null)).name).toBe('one')
  expect((await set.pick('two')).name).toBe('two')
  const refusal = { code: 'not_found', hint: 'Configured: one, two' }
  await expect(set.pick('three')).rejects.toMatchObject(refusal)
  await expect(set.requireKnown('three')).rejects.toMatchObject(refusal)
  await set.requireKnown('two')
})

describe('with models of other workers', () => {
  const createRemote = (configured: readonly string[], seen: readonly string[]) => {
    let looked = 0
    const remote: RemoteModels = {
      names: () => [...configured, ...(looked > 0 ? seen : [])],
      refresh: async () => void looked++,
      model,
      close: async () => undefined,
    }
    return { remote, looked: () => looked }
  }

  it('uses its own where it has one of the name, and theirs otherwise', async () => {
    const own = model('one')
    const { remote, looked } = createRemote(['one', 'two'], [])
    const set = createModelSet([own], remote)
    expect(await set.pick('one')).toBe(own)
    expect(await set.pick(null)).toBe(own)
    expect((await set.pick('two')).name).toBe('two')
    // An agent may name a model whose workers are away: asking tells.
    expect((await set.pick('three')).name).toBe('three')
    expect(set.all().map(({ name }) => name)).toEqual(['one', 'two'])
    expect(looked()).toBe(0)
  })

  it('has one of theirs as the default where it has none, once one is there', async () => {
    const { remote } = createRemote([], ['two'])
    expect((await createModelSet([], remote).pick(null)).name).toBe('two')
    const { remote: nobody } = createRemote([], [])
    await expect(createModelSet([], nobody).pick(null)).rejects.toMatchObject({
      code: 'model_unavailable',
      hint: expect.stringContaining('--role model'),
    })
  })

  it('looks who is there before it refuses a name', async () => {
    const { remote } = createRemote(['two'], ['three'])
    const set = createModelSet([model('one')], remote)
    await set.requireKnown('three')
    await expect(set.requireKnown('four')).rejects.toMatchObject({
      code: 'not_found',
      hint: 'Configured: one, two, three',
    })
  })
})

it('adds up the memory of those that have a process', () => {
  const memoryBytes = (bytes: number | null) => ({ memoryBytes: () => bytes })
  const set = createModelSet([model('a', memoryBytes(5)), model('b', memoryBytes(null)), model('c', memoryBytes(7))])
  expect(set.memoryBytes()).toBe(12)
  expect(createModelSet([model('b', memoryBytes(null))]).memoryBytes()).toBe(null)
})

it('ends every model, also when one does not end well', async () => {
  const ended: string[] = []
  const close = (name: string) => ({ close: async () => void ended.push(name) })
  const broken = { close: () => Promise.reject(new Error('It is stuck')) }
  const set = createModelSet([model('a', close('a')), model('b', broken), model('c', close('c'))])
  await expect(set.close()).rejects.toThrow('It is stuck')
  expect(ended).toEqual(['a', 'c'])
})
