import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { holdRepository } from './sqlite-repository-lock.ts'

describe('holdRepository', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millwright-lock-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('gives one repository to one worker, and to the next when that has let go', () => {
    const hold = holdRepository(folder)
    expect(() => holdRepository(folder)).toThrow('another worker serves it')
    hold.release()
    holdRepository(folder).release()
    expect(readdirSync(folder)).toEqual(['millwright.lock'])
  })

  it('refuses where it cannot tell, without naming the folder', () => {
    writeFileSync(join(folder, 'millwright.lock'), 'not a database, but long enough to be looked at as one'.repeat(20))
    expect(() => holdRepository(folder)).toThrow(/^Cannot open the repository: its lock cannot be used$/)
  })
})
