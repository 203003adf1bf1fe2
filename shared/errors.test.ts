import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { invalidInput } from './errors.ts'

const Input = v.strictObject({
  count: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(9)),
  name: v.pipe(v.string(), v.maxLength(3)),
})

const refuse = (value: unknown): string => invalidInput('it', v.safeParse(Input, value).issues ?? []).message

describe('invalidInput', () => {
  it.each([
    [{ count: 98_765, name: 'a' }, 'Cannot read it: count: must be at most 9'],
    [{ count: -98_765, name: 'a' }, 'Cannot read it: count: must be at least 1'],
    [{ count: 1.98765, name: 'a' }, 'Cannot read it: count: must be a whole number'],
    [{ count: 'secret', name: 'a' }, 'Cannot read it: count: expected number, received string'],
    [{ count: 1, name: 'secret' }, 'Cannot read it: name: Invalid length: Expected <=3 but received 6'],
    [{ count: 1, name: 'a', more: 'secret' }, 'Cannot read it: more: unknown field'],
    [{ count: 1 }, 'Cannot read it: name: expected "name", received nothing'],
  ])('names the field of %j and what it must be, never what it was', (value, message) => {
    expect(refuse(value)).toBe(message)
  })

  it('cuts the name of an unknown field and shows none of its control characters', () => {
    const message = refuse({ count: 1, name: 'a', [`\u001b[31m${'x'.repeat(100_000)}`]: 1 })
    expect(message).toMatch(/^Cannot read it: \ufffd\[31mx+…: unknown field$/)
    expect(message.length).toBeLessThan(200)
  })
})
