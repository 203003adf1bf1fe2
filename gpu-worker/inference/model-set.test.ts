import { expect, it } from 'vitest'
import { createScriptedModel } from '#test/support/scripted-model.ts'
import type { LanguageModel } from '../ports/language-model.ts'
import { createModelSet } from './model-set.ts'

const model = (name: string, more: Partial<LanguageModel> = {}): LanguageModel => ({
  ...createScriptedModel(['x']),
  name,
  ...more,
})

it('picks by name, the first where none is named, and lists what there is to whoever names another', () => {
  const set = createModelSet([model('one'), model('two')])
  expect(set.pick(null).name).toBe('one')
  expect(set.pick('two').name).toBe('two')
  expect(() => set.pick('three')).toThrow(expect.objectContaining({ code: 'not_found', hint: 'Configured: one, two' }))
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
