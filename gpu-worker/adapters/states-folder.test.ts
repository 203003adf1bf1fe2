import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStatesFolder } from './states-folder.ts'

let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'millwright-data-'))
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

describe('openStatesFolder', () => {
  it('removes what a worker that was killed has left, whatever the budget', async () => {
    const states = join(data, 'states')
    for (const wanted of [undefined, 0, 1000]) {
      mkdirSync(join(states, 'of-a-process'), { recursive: true })
      writeFileSync(join(states, 'of-a-process', 'half.part'), 'text of a file')
      await openStatesFolder(states, wanted)
      expect(existsSync(states)).toBe(false)
    }
    expect(existsSync(data)).toBe(true)
  })

  it('leaves what another worker keeps there now', async () => {
    const states = join(data, 'states')
    const folders = [`${process.ppid}-other`, `${process.pid}-mine`, '999999999-dead', 'nameless']
    for (const name of folders) mkdirSync(join(states, name), { recursive: true })
    expect(await openStatesFolder(states, 1000)).toBe(1000)
    expect(readdirSync(states)).toEqual([`${process.ppid}-other`])
  })

  it('answers what was asked for, else what the disk of the data folder can spare', async () => {
    expect(await openStatesFolder(join(data, 'states'), 0)).toBe(0)
    expect(await openStatesFolder(join(data, 'states'), 123)).toBe(123)
    expect(await openStatesFolder(join(data, 'states'), undefined)).toBeGreaterThanOrEqual(0)
    expect(await openStatesFolder(join(data, 'missing', 'states'), undefined)).toBe(0)
  })
})
