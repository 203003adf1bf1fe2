import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureChromium, findChromium } from './chromium.mjs'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-chromium-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function program(path: string): string {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '#!/bin/sh\n')
  chmodSync(file, 0o755)
  return file
}

const never = async (): Promise<void> => {
  throw new Error('not to be asked for')
}
const common = { lock: <T>(work: () => Promise<T>) => work(), platform: 'linux' as const }

describe('the Chromium of the browser tests', () => {
  it('is the one that is named, else the first on the PATH', async () => {
    const own = program('b/chromium-browser')
    const other = program('c/chrome')
    mkdirSync(join(folder, 'a', 'chromium'), { recursive: true })
    const PATH = ['a', 'b', 'c'].map((name) => join(folder, name)).join(':')
    expect(findChromium({ PATH })).toBe(own)
    expect(findChromium({ PATH, MILLWRIGHT_CHROMIUM: other })).toBe(other)
    expect(await ensureChromium(folder, { ...common, env: { PATH }, install: never })).toEqual({ path: own })
    expect(
      await ensureChromium(folder, { ...common, env: { PATH, MILLWRIGHT_CHROMIUM: '/no/such' }, install: never }),
    ).toEqual({ missing: 'MILLWRIGHT_CHROMIUM names /no/such, which is no program' })
  })

  it('is installed where there is none', async () => {
    const env = { PATH: join(folder, 'bin') }
    const install = async () => void program('bin/chromium')
    expect(await ensureChromium(folder, { ...common, env, install })).toEqual({ path: join(folder, 'bin', 'chromium') })
    expect(existsSync(join(folder, 'chromium.missing'))).toBe(false)
  })

  it('may be missing: the reason is told and kept, and nothing is tried again until that is removed', async () => {
    let tries = 0
    const install = async () => {
      tries += 1
      throw new Error('apt-get update: no network')
    }
    const options = { ...common, env: { PATH: '' }, install }
    const missing = { missing: expect.stringMatching(/no Chromium on the PATH.*: apt-get update: no network$/) }
    expect(await ensureChromium(folder, options)).toEqual(missing)
    expect(await ensureChromium(folder, options)).toEqual({ missing: expect.stringContaining('chromium.missing') })
    expect(tries).toBe(1)
    const stamp = join(folder, 'chromium.missing')
    expect(readFileSync(stamp, 'utf8')).toContain('no network')
    rmSync(stamp)
    expect(await ensureChromium(folder, options)).toEqual(missing)
    expect(tries).toBe(2)
  })

  it('is not there after a package that brings no program', async () => {
    expect(await ensureChromium(folder, { ...common, env: { PATH: folder }, install: async () => {} })).toEqual({
      missing: expect.stringContaining('holds no such program'),
    })
  })

  it('is left to the person where there is no such package manager', async () => {
    const env = { PATH: '' }
    expect(await ensureChromium(folder, { ...common, platform: 'darwin', env, install: never })).toEqual({
      missing: 'there is no Chromium on the PATH: install one',
    })
  })
})
