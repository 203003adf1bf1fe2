import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { projectFolder } from './setup/paths.mjs'

let folder: string

// Below the project, where Playwright can be imported from.
beforeEach(() => {
  mkdirSync(join(projectFolder, 'reports'), { recursive: true })
  folder = mkdtempSync(join(projectFolder, 'reports', '.reporter-test-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function runPlaywright(files: Record<string, string>) {
  for (const [name, source] of Object.entries(files)) {
    writeFileSync(join(folder, name), `import { test, expect } from '@playwright/test'\n${source}`)
  }
  const reporter = join(projectFolder, 'scripts', 'browser-summary-reporter.ts')
  const config = {
    testDir: '.',
    testMatch: '*.case.mjs',
    workers: 1,
    maxFailures: 3,
    outputDir: 'out',
    reporter: [[reporter]],
  }
  writeFileSync(join(folder, 'playwright.config.mjs'), `export default ${JSON.stringify(config)}`)
  const summary = join(folder, 'summary.json')
  const program = join(projectFolder, 'node_modules', '@playwright', 'test', 'cli.js')
  const args = [program, 'test', '--config', join(folder, 'playwright.config.mjs')]
  const { status } = spawnSync(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, MILLWRIGHT_TEST_SUMMARY: summary },
  })
  return { status, counts: JSON.parse(readFileSync(summary, 'utf8')) }
}

describe('the summary of the browser tests', () => {
  it('counts what passed, failed and was skipped', () => {
    const source = `test('a', () => {}); test('b', () => { expect(1).toBe(2) }); test('c', () => { test.skip(true, 'why') }); test.skip('d', () => {})`
    expect(runPlaywright({ 'mixed.case.mjs': source })).toEqual({
      status: 1,
      counts: { passed: 1, failed: 1, skipped: 2 },
    })
  })

  it('counts a file that cannot be loaded as failed', () => {
    const { status, counts } = runPlaywright({
      'broken.case.mjs': `throw new Error('no')`,
      'good.case.mjs': `test('a', () => {})`,
    })
    expect(status).toBe(1)
    expect(counts.failed).toBe(1)
  })

  it('counts a test that never ran because the run was cut off as failed', () => {
    const bad = (name: string) => `test('${name}', () => { expect(1).toBe(2) });`
    const source = `${['a', 'b', 'c'].map(bad).join('')} test('never', () => {})`
    // Three failures, after which the run stops by its configuration; the stop itself; and the test that was left.
    expect(runPlaywright({ 'cut.case.mjs': source }).counts).toEqual({ passed: 0, failed: 5, skipped: 0 })
  })
})
