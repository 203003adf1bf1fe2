import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { projectFolder } from './setup/paths.mjs'

let folder: string

// Below the project, where vitest can be imported from.
beforeEach(() => {
  folder = mkdtempSync(join(projectFolder, 'node_modules', '.reporter-test-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function runVitest(files: Record<string, string>, env: NodeJS.ProcessEnv = {}) {
  for (const [name, source] of Object.entries(files)) {
    writeFileSync(join(folder, name), `import { it, describe, beforeAll, expect } from 'vitest'\n${source}`)
  }
  writeFileSync(join(folder, 'vitest.config.mjs'), 'export default { test: { exclude: [] } }')
  const { MILLWRIGHT_TEST_SUMMARY: _, ...outer } = process.env
  const vitest = join(projectFolder, 'node_modules', 'vitest', 'vitest.mjs')
  const reporter = join(projectFolder, 'scripts', 'summary-reporter.ts')
  const args = [vitest, 'run', '--root', folder, '--reporter=default', `--reporter=${reporter}`]
  const result = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', env: { ...outer, ...env } })
  return { status: result.status, lastLine: result.stdout.trimEnd().split('\n').at(-1) }
}

const mixed = {
  'good.test.mjs': `it('a', () => {}); it('b', () => {}); it.skip('c', () => {}); it.todo('d')`,
  'bad.test.mjs': `it('e', () => expect(1).toBe(2)); it('f', () => {})`,
  'unloadable.test.mjs': `throw new Error('no')`,
  'hook.test.mjs': `describe('s', () => { beforeAll(() => { throw new Error('no') }); it('g', () => {}) })`,
}

describe('the summary', () => {
  it('is the last line, and counts what cannot load as failed', () => {
    expect(runVitest({ 'good.test.mjs': mixed['good.test.mjs'] })).toEqual({
      status: 0,
      lastLine: '2 passed, 0 failed, 2 skipped',
    })
    expect(runVitest(mixed)).toEqual({ status: 1, lastLine: '3 passed, 3 failed, 3 skipped' })
  })

  it('counts an error outside of every test as failed', () => {
    const source = `it('a', () => { Promise.reject(new Error('nobody listens')) })`
    expect(runVitest({ 'stray.test.mjs': source })).toEqual({ status: 1, lastLine: '1 passed, 1 failed, 0 skipped' })
  })

  it('goes into a file where one is named', () => {
    const file = join(folder, 'summary.json')
    runVitest({ 'good.test.mjs': mixed['good.test.mjs'] }, { MILLWRIGHT_TEST_SUMMARY: file })
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ passed: 2, failed: 0, skipped: 2 })
  })
})
