import { describe, expect, it } from 'vitest'
import { placesOf } from './find-in-text.ts'

describe('placesOf', () => {
  it('finds all places, whatever the case of the letters', () => {
    expect(placesOf('Alpha alpha ALPHA', 'alpha')).toEqual([0, 6, 12])
    expect(placesOf('aaaa', 'aa')).toEqual([0, 2])
  })

  it('finds nothing for the empty text, and takes signs as signs', () => {
    expect(placesOf('a.b', '')).toEqual([])
    expect(placesOf('a.b axb', 'a.b')).toEqual([0])
  })

  it('keeps to the places of the text where a small letter is longer than its capital', () => {
    expect(placesOf('İ x', 'x')).toEqual([2])
  })
})
