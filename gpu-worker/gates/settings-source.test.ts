import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createNodeFileTree } from '#gpu-worker/adapters/node-file-tree.ts'
import { createTreeSitterParser } from '#gpu-worker/adapters/tree-sitter-parser.ts'
import type { FileTree } from '#gpu-worker/ports/file-tree.ts'
import { createTempRepository, type TempRepository } from '#test/support/temp-repository.ts'
import { createFileChecker } from './file-checker.ts'
import { defaultSettings } from './settings.ts'
import { createSettingsSource } from './settings-source.ts'

let repository: TempRepository
let files: FileTree

beforeEach(async () => {
  repository = await createTempRepository()
  files = await createNodeFileTree({ root: repository.root })
})
afterEach(() => repository.remove())

const write = (text: string): void => writeFileSync(join(repository.root, 'millwright.json'), text)

describe('createSettingsSource', () => {
  it('has the defaults where there is no file', async () => {
    expect(await createSettingsSource(files)()).toEqual({ settings: defaultSettings, fault: null })
  })

  it('follows the file, and keeps what it has parsed while the bytes are the same', async () => {
    const source = createSettingsSource(files)
    write('{"checks": {"function_length": {"lines": 5}}}')
    const first = await source()
    expect(first.settings.functionLinesMax).toBe(5)
    expect((await source()).settings).toBe(first.settings)
    write('{"checks": {"function_length": {"lines": 6}}}')
    expect((await source()).settings.functionLinesMax).toBe(6)
    rmSync(join(repository.root, 'millwright.json'))
    expect((await source()).settings).toBe(defaultSettings)
  })

  it.each<[string, () => void, string]>([
    ['a wrong key', () => write('{"check": {}}'), 'check: unknown field'],
    ['no JSON', () => write('{'), 'not valid JSON'],
    ['a binary file', () => write('\0'), 'NUL bytes'],
    ['a file that is too large', () => write(' '.repeat(200_000)), 'limit 131072'],
    ['a folder', () => mkdirSync(join(repository.root, 'millwright.json')), 'millwright.json'],
  ])('names the fault and keeps the defaults: %s', async (_what, make, fault) => {
    make()
    const state = await createSettingsSource(files)()
    expect(state.settings).toBe(defaultSettings)
    expect(state.fault).toContain(fault)
  })

  it('fails the check `configuration` of every file, and mends with the file', async () => {
    const checker = createFileChecker({ parser: createTreeSitterParser(), settings: createSettingsSource(files) })
    const request = { path: 'a.py', text: 'x = 1\n', before: null }
    try {
      write('{"checks": {"line_limits": 1}}')
      const { checks } = await checker.check(request)
      expect(checks.passed).toBe(false)
      expect(checks.ran).toContain('configuration')
      expect(checks.violations).toMatchObject([
        { rule: 'configuration', severity: 'error', message: expect.stringContaining('checks.line_limits: unknown') },
      ])
      await expect(checker.rules('a.py')).rejects.toMatchObject({ code: 'checks_failed' })
      expect(await checker.rules('millwright.json')).toEqual(['Valid JSON'])
      write('{"checks": {"line_limit": {"lines": 2}}}')
      expect((await checker.check(request)).checks.passed).toBe(true)
      expect(await checker.rules('a.py')).toEqual(['Valid Python 3', 'At most 2 lines'])
    } finally {
      await checker.close()
    }
  })

  it('judges a text that is to become the configuration', async () => {
    const checker = createFileChecker({ parser: createTreeSitterParser(), settings: createSettingsSource(files) })
    const check = async (text: string) =>
      (await checker.check({ path: 'millwright.json', text, before: null })).checks.passed
    try {
      write('{')
      expect(await check('{}')).toBe(true)
      expect(await check('{"a": 1}')).toBe(false)
    } finally {
      await checker.close()
    }
  })
})
