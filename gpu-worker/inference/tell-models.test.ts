import { describe, expect, it } from 'vitest'
import { createModelTeller } from './tell-models.ts'

describe('the teller of models', () => {
  it('tells each state once, and of a model that is gone', () => {
    const told: unknown[] = []
    let models: { name: string; state: 'loading' | 'ready' | 'missing' }[] = [{ name: 'big', state: 'loading' }]
    const teller = createModelTeller(
      () => models,
      (event) => told.push(event),
    )
    teller.look()
    teller.look()
    models = [{ name: 'big', state: 'ready' }]
    teller.look()
    models = []
    teller.look()
    teller.look()
    expect(told).toEqual(
      ['loading', 'ready', 'missing'].map((state) => ({ v: 1, type: 'model_changed', model: 'big', state })),
    )
  })
})
