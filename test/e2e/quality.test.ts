import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { QualityReport } from '#shared/schemas/quality.ts'
import type { Fields, ToolAnswer } from '#test/support/mcp.ts'
import { hashTree } from '#test/support/temp-repository.ts'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'

// validate_file_length and analyze_code_quality on the whole stack, as a client calls them.

/** A function of 20 lines with about 180 tokens. */
const copied = `def totals(orders: list) -> dict:
    """Sums."""
${Array.from({ length: 18 }, (_, at) => `    total${at} = add(orders, ${at}) + rest[${at}]\n`).join('')}`

let world: TestStack
beforeAll(async () => {
  world = await startTestStack({
    files: {
      '.gitignore': 'built/\n',
      'src/a.py': copied,
      'src/b.py': `import os\n\n\n${copied}`,
      'built/c.py': copied,
      'notes.md': '# Notes\n\n\nText.\n',
    },
  })
})
afterAll(() => world?.stop())

const call = (name: string, args: Fields): Promise<ToolAnswer> => world.client.call(name, args)
const analyze = async (args: Fields): Promise<QualityReport> =>
  (await world.client.ok('analyze_code_quality', args)) as unknown as QualityReport
const codeOf = (answer: ToolAnswer): string | undefined => (answer.success ? 'success' : answer.error?.code)

describe('validate_file_length', () => {
  it('takes the limit of the repository, or another that is asked for', async () => {
    const length = async (args: Fields) => (await world.client.ok('validate_file_length', args)).violations
    expect(await length({ file_path: 'src/a.py' })).toEqual({ exceeds_limit: false, line_count: 20, limit: 300 })
    expect(await length({ file_path: 'src/a.py', max_lines: 19 })).toMatchObject({ exceeds_limit: true, limit: 19 })
    expect(await length({ file_path: 'src/a.py', max_lines: 20 })).toMatchObject({ exceeds_limit: false })
    expect(await length({ file_path: 'notes.md' })).toEqual({ exceeds_limit: false, line_count: 4, limit: null })
    world.repository.write('millwright.json', '{"checks": {"line_limit": {"files": [{"glob": "*.md", "lines": 3}]}}}')
    expect(await length({ file_path: 'notes.md' })).toMatchObject({ exceeds_limit: true, limit: 3 })
    world.repository.write('millwright.json', '{"checks": {"line_limits": 1}}')
    expect(codeOf(await call('validate_file_length', { file_path: 'notes.md' }))).toBe('checks_failed')
    world.repository.write('millwright.json', '{}')
  })

  it('reads no file that may not be read', async () => {
    expect(codeOf(await call('validate_file_length', { file_path: '.git/config' }))).toBe('protected_path')
    expect(codeOf(await call('validate_file_length', { file_path: 'none.py' }))).toBe('not_found')
    expect(codeOf(await call('validate_file_length', { file_path: '../a.py', content: 'x' }))).toBe(
      'outside_repository',
    )
  })
})

describe('analyze_code_quality', () => {
  it('finds what a file has in common with the others, but not with what git ignores, and writes nothing', async () => {
    const before = hashTree(world.repository.root)
    const report = await analyze({ path: 'src/b.py' })
    expect(report.duplication).toEqual({
      lines: 20,
      percent: 95,
      copies: [
        { path: 'src/a.py', line: 4, end_line: 23, other_line: 1, other_end_line: 20, tokens: expect.any(Number) },
      ],
      files_compared: 1,
      files_left: 0,
      files_skipped: 0,
    })
    expect(report.issues.map(({ rule, line }) => `${rule} ${line}`)).toEqual(['unused_import 1', 'duplication 4'])
    expect(hashTree(world.repository.root)).toBe(before)
  })

  it('sees a file as it is now', async () => {
    world.repository.write('src/new.py', copied)
    expect((await analyze({ path: 'src/b.py' })).duplication?.copies.map(({ path }) => path).sort()).toEqual([
      'src/a.py',
      'src/new.py',
    ])
    world.repository.write('src/new.py', 'x = 1\n')
    expect((await analyze({ path: 'src/b.py' })).duplication?.copies).toHaveLength(1)
  })

  it('measures content in a language that is said', async () => {
    const report = await analyze({ content: 'fn f(a: i32) -> i32 { if a > 1 { 1 } else { 2 } }\n', language: 'rust' })
    expect(report).toMatchObject({ path: null, language: 'rust', complexity: { cyclomatic: 2, cognitive: 2 } })
    expect(await analyze({ content: 'a: 1\n', language: 'yaml' })).toMatchObject({ complexity: null, score: 100 })
    expect(await analyze({ content: '# A\n\nb\n', language: 'markdown' })).toMatchObject({
      size: { lines: 3, blank_lines: 1 },
    })
  })

  it('answers within its call for hostile content', async () => {
    const parentheses = await analyze({ content: '('.repeat(200_000), language: 'python' })
    expect(parentheses).toMatchObject({ score: 0, complexity: null })
    expect((await analyze({ content: 'x = 1\n', language: 'python' })).score).toBe(100)
  })

  it('refuses what it cannot read', async () => {
    writeFileSync(join(world.repository.root, 'binary.py'), '\0')
    expect(codeOf(await call('analyze_code_quality', { path: 'binary.py' }))).toBe('invalid_input')
    expect(codeOf(await call('analyze_code_quality', { path: '.git/config' }))).toBe('protected_path')
    expect((await call('analyze_code_quality', { content: 'This is, as it were, prose.' })).error).toMatchObject({
      code: 'invalid_input',
      hint: expect.stringContaining('Give language'),
    })
  })
})
