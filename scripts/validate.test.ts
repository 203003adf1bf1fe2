import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from 'sarif'
import { afterEach, describe, expect, it } from 'vitest'
import { createTempRepository, hashTree, type TempRepository } from '#test/support/temp-repository.ts'

// The commands as a person or a CI job runs them.

let temporary: TempRepository
afterEach(() => temporary?.remove())

function run(script: 'validate' | 'init', ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, `${script}.ts`), '--repo', 'sample', ...args],
    { encoding: 'utf8', cwd: temporary.folder, env: { ...process.env, INIT_CWD: temporary.folder } },
  )
  return { status, stdout, stderr }
}

describe('npm run validate', () => {
  it('ends with 0 where nothing required is broken, and says what is worth a look', async () => {
    temporary = await createTempRepository({ 'README.md': '# A\n', 'src/a.py': 'x = 1\n' })
    const { status, stdout } = run('validate')
    expect(stdout).toContain('missing_tests (warning): 1 failed')
    expect(stdout).toContain('  src/a.py: No test: write `**/test_a.py` or `**/a_test.py`')
    expect(stdout).toMatch(/Passed: 2 files, score \d+(?:\.\d)? of 100\n$/)
    expect(status).toBe(0)
  })

  it('ends with 1 where something is, and writes SARIF', async () => {
    temporary = await createTempRepository({ 'README.md': '# A\n', 'a.py': 'def (:\n', 'b.py': 'def (:\n' })
    const { status, stdout } = run('validate', '--sarif', 'report.sarif', 'a.py')
    expect(stdout).toContain('syntax (error): 1 failed')
    expect(stdout).not.toContain('b.py')
    expect(status).toBe(1)
    const log = JSON.parse(readFileSync(join(temporary.folder, 'report.sarif'), 'utf8')) as Log
    expect(log.runs[0]?.results?.map(({ ruleId, level }) => `${ruleId} ${level}`)).toEqual([
      'missing_tests warning',
      'syntax error',
    ])
  })

  it.each([
    [['--repos', 'x'], "'--repos'"],
    [['none.py'], 'none.py'],
    [['../x'], '".."'],
  ])('ends with 2 for %j, and says why', async (args, message) => {
    temporary = await createTempRepository()
    const { status, stdout, stderr } = run('validate', ...args)
    expect(stderr).toContain(message)
    expect(stdout).toBe('')
    expect(status).toBe(2)
  })

  it('shows what would move the cursor of a terminal as text, and changes nothing', async () => {
    temporary = await createTempRepository({ 'README.md': '# A\n', 'a.py': 'x = 1 \u001b[2J\u001b]0;t\u0007 2\n' })
    const before = hashTree(temporary.root)
    const { status, stdout } = run('validate')
    expect(status).toBe(1)
    expect(stdout).toContain('\\u{1b}')
    expect([...stdout].filter((character) => character < ' ' && character !== '\n')).toEqual([])
    expect(hashTree(temporary.root)).toBe(before)
  })
})

describe('npm run init', () => {
  it('writes rules that the repository keeps today', async () => {
    temporary = await createTempRepository({
      'README.md': '# A\n',
      'src/shop/user_store.py': 'x = 1\n'.repeat(400),
      'src/shop/order_list.py': 'x = 1\n',
      'src/shop/a[1].py': 'x = 1\n'.repeat(301),
      'main.py': 'x = 1\n'.repeat(305),
      'tests/shop/test_user_store.py': 'x = 1\n',
      'web/app.ts': 'export const x = 1\n',
      'packages/a/README.md': '# a\n',
      'packages/b/README.md': '# b\n',
      'poetry.lock': '',
      'pyproject.toml': '[tool.ruff]\nline-length = 100\n',
    })
    const { status, stderr, stdout } = run('init')
    expect(stdout).toBe('')
    expect(status).toBe(0)
    expect(JSON.parse(temporary.read('millwright.json'))).toEqual({
      checks: {
        line_limit: {
          lines: 300,
          files: [
            { glob: 'src/shop/user_store.py', lines: 400 },
            { glob: '/main.py', lines: 305 },
            { glob: 'src/shop/a[[]1].py', lines: 301 },
          ],
        },
        missing_tests: [
          { files: '*.py', except: expect.arrayContaining(['_*.py']), tests: ['tests/{sub}/test_{name}.py'] },
        ],
        missing_readmes: { folders: ['.', 'packages/*'] },
      },
      protected_paths: ['poetry.lock'],
    })
    expect(stderr).toContain('3 files of code are longer than 300 lines: 3 of them keep their length')
    expect(stderr).toContain('ruff in pyproject.toml is there')
    expect(stderr).toContain('{"name":"ruff","run":["ruff","check","{file}"],"files":"*.py"}')
    expect(stderr).not.toContain('mypy')
    const after = run('validate')
    expect(after.stdout).not.toContain('line_limit')
    expect(after.stdout).toContain('src/shop/order_list.py: No test: write `tests/shop/test_order_list.py`')
    expect(after.status).toBe(0)
  })

  it('never changes one that is there, and shows a new one when asked', async () => {
    temporary = await createTempRepository({ 'README.md': '# A\n' })
    writeFileSync(join(temporary.root, 'millwright.json'), 'mine')
    const refused = run('init')
    expect(refused.status).toBe(1)
    expect(refused.stderr).toContain('is there already and stays as it is')
    expect(temporary.read('millwright.json')).toBe('mine')
    const { status, stdout } = run('init', '--print')
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      checks: { severities: { missing_tests: 'off' }, line_limit: { lines: 300 } },
    })
    expect(temporary.read('millwright.json')).toBe('mine')
  })
})
