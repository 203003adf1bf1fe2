import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readOrCreateToken } from './token-file.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-token-'))
  file = join(folder, 'token')
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('token file', () => {
  it('is made once, private, with nothing beside it', () => {
    const token = readOrCreateToken(file)
    expect(token).toMatch(/^mw_[A-Za-z0-9_-]{43}$/)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readOrCreateToken(file)).toBe(token)
    expect(readdirSync(folder)).toEqual(['token'])
  })

  it('is not used once others could read it', () => {
    readOrCreateToken(file)
    chmodSync(file, 0o644)
    expect(() => readOrCreateToken(file)).toThrow(/others can read it/)
  })

  it.each(['', 'mw_short', 'something else'])('is refused when it holds %j', (text) => {
    writeFileSync(file, text, { mode: 0o600 })
    expect(() => readOrCreateToken(file)).toThrow(/does not hold a token/)
  })
})
