import { describe, expect, it } from 'vitest'
import { createOpenPlaces } from './open-places.ts'

describe('open places', () => {
  it('are bounded for each subject by itself, and come back once however often they are given back', () => {
    const places = createOpenPlaces(2)
    const first = places.take('a')
    expect(places.take('a')).not.toBeNull()
    expect(places.take('a')).toBeNull()
    expect(places.take('b')).not.toBeNull()
    first?.()
    first?.()
    expect(places.take('a')).not.toBeNull()
    expect(places.take('a')).toBeNull()
  })
})
