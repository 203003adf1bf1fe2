import assert from 'node:assert/strict'
import { OVERLY_COMPLEX_FUNCTION, TOO_LONG_TEXT } from '#test/support/user-samples.ts'
import type { SuiteRecorder } from '../recorder.ts'
import type { AcceptanceWorld } from '../world.ts'

/** The user's suite C. McCabe's number of its second test is 9, not above 10: what flags the file is its cognitive complexity. */
export async function runSchemaValidation(
  { run }: SuiteRecorder,
  { measured, repository }: AcceptanceWorld,
): Promise<void> {
  await run({ name: 'File size limits' }, async () => {
    const { violations } = await measured.ok('validate_file_length', {
      file_path: 'test_large.py',
      content: TOO_LONG_TEXT,
    })
    assert.deepEqual(violations, { exceeds_limit: true, line_count: 350, limit: 300 })
    return '350 lines as wc -l counts them, limit 300'
  })
  await run({ name: 'Function complexity' }, async () => {
    const { complexity, issues } = await measured.ok('analyze_code_quality', { content: OVERLY_COMPLEX_FUNCTION })
    const { cyclomatic, cognitive } = complexity as Record<string, number>
    assert.deepEqual({ cyclomatic, cognitive }, { cyclomatic: 9, cognitive: 36 })
    const flagged = (issues as { rule: string; line: number }[]).some(
      ({ rule, line }) => rule === 'complexity' && line === 2,
    )
    assert.ok(flagged, 'The function is not flagged as too complex')
    return "McCabe's number 9 (1 + five if + three for), cognitive complexity 36; flagged"
  })
  await run({ name: 'Required files' }, async () => {
    repository.write('untested.py', 'x = 1\n')
    repository.write('packages/cart/package.json', '{ "name": "cart" }\n')
    const { issues } = await measured.job('run_all_validations', {})
    const { missing_tests = [], missing_readmes = [] } = issues as Record<string, { path: string }[]>
    assert.ok(
      missing_tests.some(({ path }) => path === 'untested.py'),
      'untested.py is not under missing_tests',
    )
    assert.ok(
      missing_readmes.some(({ path }) => path === 'packages/cart/README.md'),
      'packages/cart is not under missing_readmes',
    )
    return `missing_tests: ${missing_tests.length}, missing_readmes: ${missing_readmes.length}`
  })
}
