import { describe, expect, it } from 'vitest'
import { AppError } from '#shared/errors.ts'
import { createTemplateEngine } from './engine.ts'
import { FORM_HINT } from './filters.ts'
import { parseSpec } from './spec.ts'
import { fromSpec } from './template.ts'

describe('parseSpec', () => {
  it('shows a caller whose spec is wrong one that is right', () => {
    const refused = (() => {
      try {
        return parseSpec({ name: 'x' })
      } catch (error) {
        return error
      }
    })()
    if (!(refused instanceof AppError)) throw new Error('It was taken')
    expect(refused.message).toContain('outputs')
    const shown: unknown = JSON.parse(refused.hint?.replace('A spec has this form: ', '') ?? '')
    const { bodies, outputs } = fromSpec(parseSpec(shown))
    const engine = createTemplateEngine(bodies)
    expect(engine.render(bodies.get(outputs[0]?.body ?? '') ?? '', { who: 'World' })).toEqual({
      text: 'print("World")\n',
    })
  })
})

describe('the hint about the form of a text', () => {
  it('names tags and filters that the engine knows', () => {
    const engine = createTemplateEngine(new Map())
    const filters = /Filters: (.*)$/.exec(FORM_HINT)?.[1]?.split(', ') ?? []
    expect(filters).toContain('md')
    for (const filter of filters) expect(engine.parse(`{{ x | ${filter} }}`), filter).toBeNull()
    expect(engine.parse('{{ x | escape }}')?.message).toContain('undefined filter')
  })
})
