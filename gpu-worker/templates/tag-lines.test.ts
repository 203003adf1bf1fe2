import { describe, expect, it } from 'vitest'
import { joinTagLines } from './tag-lines.ts'

describe('lines of tags', () => {
  it('leave no line behind', () => {
    const source = 'a\n  {% for x in y %}\n  {{ x }}\n  {% endfor %} {% if z %}\nb {% endif %}\nc'
    expect(joinTagLines(source).text).toBe('a\n{% for x in y %}  {{ x }}\n{% endfor %} {% if z %}b {% endif %}\nc')
  })

  it('keep the lines of the original for messages', () => {
    const { text, lineOf } = joinTagLines('a\n{% if x %}\n{% if y %}\nb\n{% endif %}\nc\n')
    expect(text).toBe('a\n{% if x %}{% if y %}b\n{% endif %}c\n')
    const places = [
      [1, 1],
      [2, 1],
      [2, 11],
      [2, 21],
      [3, 1],
      [3, 12],
      [4, 1],
    ] as const
    expect(places.map(([line, column]) => lineOf(line, column))).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  it('stay within raw', () => {
    const source = '{% raw %}\n{% if x %}\n{% endraw %}\n{% if y %}\n{% endif %}\n'
    expect(joinTagLines(source).text).toBe('{% raw %}\n{% if x %}\n{% endraw %}\n{% if y %}{% endif %}')
  })
})
