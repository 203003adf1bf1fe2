import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readCargoText } from './cargo-text.ts'
import { readGoEvents } from './go-json.ts'
import { readJestReport } from './jest-json.ts'
import { readNodeReport } from './node-test.ts'
import { readPytestReport } from './pytest.ts'
import type { Reading, RunPlace } from './report.ts'

// Reports as the runners wrote them: test/fixtures/runs/README.md says how they were recorded.

const folder = join(import.meta.dirname, '..', '..', 'test', 'fixtures', 'runs')
const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
const place: RunPlace = {
  root: '/repository',
  folder: '',
  paths: ['sums.go', 'sums_test.go', 'inner/a_test.go', 'broken/b_test.go', 'gone/g_test.go'],
}

/** `+ name`, `- name`, `o name`. */
const outcomes = (reading: Reading): string[] => {
  if ('fault' in reading) throw new Error(reading.fault)
  const signs = { passed: '+', failed: '-', skipped: 'o' }
  return reading.tests.map(({ name, outcome }) => `${signs[outcome]} ${name}`)
}
const failures = (reading: Reading): (string | null)[][] => {
  if ('fault' in reading) throw new Error(reading.fault)
  return reading.tests.flatMap(({ failure }) => {
    if (failure === null) return []
    const { file, line, message } = failure()
    return [[file === null ? null : `${file}:${line}`, message]]
  })
}

describe('a recorded report', () => {
  it('of pytest', () => {
    const report = readPytestReport(read('pytest.xml'), place)
    expect(outcomes(report)).toEqual([
      '+ test_sums.py::test_adds',
      '- test_sums.py::test_is_wrong',
      '+ test_sums.py::test_many[1-2]',
      '+ test_sums.py::test_many[2-1]',
      '- test_sums.py::test_many[x-\\xe9\\x1b[31m]',
      'o test_sums.py::test_later',
      'o test_sums.py::test_known',
      '- test_sums.py::TestGroup::test_fixture',
      '- test_sums.py::TestGroup::test_helper',
      '+ test_sums.py::TestGroup::test_prints',
      '- test_sums.py::test_teardown',
      '- test_sums.py::test_both',
      '- test_sums.py::test_both',
    ])
    expect(failures(report)).toEqual([
      ['test_sums.py:16', 'assert [2, 3] == [3, 3]\n  \n  At index 0 diff: 2 != 3\n  Use -v to get more diff'],
      ['test_sums.py:21', expect.stringMatching(/^AssertionError: assert 'xé\\x1b\[31m' == 'é\\x1b\[31mx'\n/)],
      ['test_sums.py:37', 'RuntimeError: no fixture'],
      ['helper.py:3', "KeyError: 'deep'"],
      ['test_sums.py:55', 'ValueError: in teardown'],
      ['test_sums.py:63', 'assert 1 == 2'],
      ['test_sums.py:55', 'ValueError: in teardown'],
    ])
  })

  it('of pytest, where modules cannot be collected', () => {
    const report = readPytestReport(read('pytest-collection.xml'), place)
    expect(outcomes(report)).toEqual(['- tests/test_import.py', '- tests/test_syntax.py'])
    expect(failures(report)).toEqual([
      ['tests/test_import.py:1', "ModuleNotFoundError: No module named 'no_such_module'"],
      [
        'tests/test_syntax.py:1',
        'File "tests/test_syntax.py", line 1\n    def test_never(:\n                   ^\nSyntaxError: invalid syntax',
      ],
    ])
  })

  it('of vitest', () => {
    const report = readJestReport(read('vitest.json'), place)
    expect(outcomes(report)).toEqual([
      '- src/broken.test.ts',
      '+ src/sums.test.ts > add > adds',
      '- src/sums.test.ts > add > is wrong',
      'o src/sums.test.ts > add > later',
      'o src/sums.test.ts > add > some day',
      '+ src/sums.test.ts > add > many 1',
      '- src/sums.test.ts > add > many 2',
      '- src/sums.test.ts > throws red',
    ])
    expect(failures(report)).toEqual([
      ['src/broken.test.ts:null', "Cannot find module './none.ts' imported from src/broken.test.ts"],
      ['src/sums.test.ts:5', 'AssertionError: expected { sum: 2 } to deeply equal { sum: 3 }'],
      ['src/sums.test.ts:9', 'AssertionError: expected 2 to be less than 2'],
      ['src/sums.test.ts:12', 'Error: bad red'],
    ])
  })

  it('of jest', () => {
    const report = readJestReport(read('jest.json'), place)
    expect(outcomes(report).sort()).toEqual([
      '+ sums.test.js > add > adds',
      '- sub/broken.test.js',
      '- sums.test.js > add > is wrong',
      '- sums.test.js > throws red',
      'o sums.test.js > add > later',
      'o sums.test.js > add > some day',
    ])
    expect(failures(report).sort()).toEqual([
      ['sub/broken.test.js:null', expect.stringContaining("Cannot find module './none.js' from 'sub/broken.test.js'")],
      ['sums.test.js:10', 'Error: bad red'],
      [
        'sums.test.js:4',
        expect.stringMatching(/^Error: expect\(received\).*- {3}"sum": 3,\n\+ {3}"sum": 2,\n {2}\}$/s),
      ],
    ])
  })

  it.each([
    ['node-20.xml', ''],
    ['node-24.xml', 'sums.test.js > '],
  ])('of node:test, %s', (name, prefix) => {
    const report = readNodeReport(read(name), place)
    expect(outcomes(report)).toEqual([
      '- sub/broken.test.mjs',
      `+ ${prefix}adds`,
      `- ${prefix}is wrong`,
      `o ${prefix}later`,
      `o ${prefix}todo`,
      `+ ${prefix}group > works`,
      // XML has no escape characters.
      `- ${prefix}group > has \uFFFD[31mcolour\uFFFD[0m & <tags>`,
    ])
    expect(failures(report)).toEqual([
      ['sub/broken.test.mjs:null', 'test failed'],
      ['sums.test.js:4', '2 == 3'],
      ['sums.test.js:9', 'bad \uFFFD[31mred\uFFFD[0m'],
    ])
  })

  it('of go', () => {
    const report = readGoEvents(read('go-1.19.jsonl'), place)
    expect(outcomes(report).sort()).toEqual([
      '+ example.com/sums TestAdds',
      '+ example.com/sums TestMany/one',
      '+ example.com/sums/gone TestFine',
      '- example.com/sums TestIsWrong',
      '- example.com/sums TestMany/two_words',
      '- example.com/sums/broken',
      '- example.com/sums/gone',
      '- example.com/sums/inner TestPanics',
      'o example.com/sums TestLater',
    ])
    expect(failures(report)).toEqual([
      ['sums_test.go:13', 'sums_test.go:12: said before\n    sums_test.go:13: Add(1, 2) = 3, want 4'],
      ['sums_test.go:22', 'sums_test.go:22: bad red'],
      ['inner/a_test.go:7', expect.stringMatching(/^panic: runtime error: index out of range/)],
      [null, 'It could not be built: see the output'],
      [null, 'It failed outside its tests'],
    ])
  })

  it('of cargo', () => {
    const report = readCargoText(read('cargo.txt'), place)
    expect(outcomes(report).sort()).toEqual([
      '+ doc sums src/lib.rs - add (line 3)',
      '+ src/lib.rs tests::adds',
      '+ src/lib.rs tests::panics',
      '+ tests/whole.rs adds',
      '- doc sums src/lib.rs - sub (line 12)',
      '- src/lib.rs tests::answers',
      '- src/lib.rs tests::does_not_panic',
      '- src/lib.rs tests::is_wrong',
      'o src/lib.rs tests::later',
      'o src/lib.rs tests::some_day',
    ])
    const told = new Map(failures(report).map(([spot, message]) => [message?.split('\n')[0], spot]))
    expect(told.get('Error: "no answer"')).toBeNull()
    expect(told.get('said before')).toBe('src/lib.rs:31')
    expect(told.get('Test executable failed (exit status: 101).')).toBe('src/lib.rs:12')
  })

  it('of cargo, where nothing can be compiled', () => {
    const report = readCargoText(read('cargo-compile-error.txt'), place)
    expect(outcomes(report)).toEqual(['- sums (lib)', '- sums (lib test)'])
    expect(failures(report)[0]).toEqual(['src/lib.rs:2', expect.stringMatching(/^error\[E0308\]: mismatched types\n/)])
  })

  it('of cargo, where a test ends the process with status 0', () => {
    expect(readCargoText(read('cargo-exit.txt'), place)).toEqual({
      fault: 'src/lib.rs: it ended in the middle of its tests',
    })
  })

  it.each([
    ['pytest.xml', readPytestReport],
    ['node-24.xml', readNodeReport],
    ['vitest.json', readJestReport],
    ['jest.json', readJestReport],
    ['cargo.txt', readCargoText],
  ])('that is cut anywhere is not taken for a whole one: %s', (name, reader) => {
    const whole = read(name).trimEnd()
    const tests = outcomes(reader(whole, place)).length
    for (let at = 0; at < whole.length; at += 1 + Math.floor(whole.length / 200)) {
      const reading = reader(whole.slice(0, at), place)
      const seen = 'fault' in reading ? -1 : reading.tests.length
      // Of cargo the binaries that ended count, and its exit status tells that there should be more.
      if (name !== 'cargo.txt') expect(seen, `${at} characters`).toBe(-1)
      else expect(seen, `${at} characters`).toBeLessThanOrEqual(tests)
    }
  })
})

describe('the events of go', () => {
  const event = (Action: string, more: object = {}): string =>
    JSON.stringify({ Action, Package: 'example.com/sums', ...more })
  const go = (...lines: string[]) => readGoEvents(lines.join('\n'), place)

  it('tell compile errors since go 1.24', () => {
    const text = './sums_test.go:5:44: cannot use "text" as int value\n'
    const report = go(
      JSON.stringify({
        Action: 'build-output',
        ImportPath: 'example.com/sums [a.test]',
        Output: '# example.com/sums\n',
      }),
      JSON.stringify({ Action: 'build-output', ImportPath: 'example.com/sums [a.test]', Output: text }),
      JSON.stringify({ Action: 'build-fail', ImportPath: 'example.com/sums [a.test]' }),
      event('start'),
      event('output', { Output: 'FAIL\texample.com/sums [build failed]\n' }),
      event('fail', { FailedBuild: 'example.com/sums [a.test]' }),
    )
    expect(failures(report)).toEqual([['sums_test.go:5', expect.stringContaining('cannot use "text" as int value')]])
  })

  it('make a test that did not end a failed one', () => {
    const report = go(event('run', { Test: 'TestA' }), event('fail'))
    expect(outcomes(report)).toEqual(['- example.com/sums TestA'])
    expect(failures(report)[0]?.[1]).toBe('It did not end.')
  })

  it('count a test with subtests where it failed by itself', () => {
    const report = go(
      event('run', { Test: 'TestA' }),
      event('run', { Test: 'TestA/one' }),
      event('pass', { Test: 'TestA/one' }),
      event('fail', { Test: 'TestA' }),
      event('fail'),
    )
    expect(outcomes(report)).toEqual(['- example.com/sums TestA', '+ example.com/sums TestA/one'])
  })

  it.each([
    ['a package has not ended', [event('run', { Test: 'TestA' }), event('pass', { Test: 'TestA' })]],
    ['a line is cut', [event('pass'), '{"Action":"pa']],
    ['a line is no event', [event('pass'), '{}']],
  ])('are not believed where %s', (_what, lines) => {
    expect(go(...lines)).toHaveProperty('fault')
  })
})

describe('what cargo prints', () => {
  const ok = (lines: string, counts: string) => `running 2 tests\n${lines}\ntest result: ok. ${counts}; 0 measured\n`

  it.each([
    ['a test is missing', ok('test a ... ok', '2 passed; 0 failed; 0 ignored')],
    ['the sum is another', ok('test a ... ok\ntest b ... ok', '1 passed; 1 failed; 0 ignored')],
    [
      'a line was printed by a test',
      ok('test a ... ok\ntest b ... FAILED\ntest c ... ok', '2 passed; 0 failed; 0 ignored'),
    ],
  ])('is not believed where %s', (_what, text) => {
    expect(readCargoText(text, place)).toEqual({ fault: 'tests: its counts are not those of its tests' })
  })

  it('is read with what tests write between', () => {
    const text = ok('test a ... written by a\nok\ntest b ... ok', '2 passed; 0 failed; 0 ignored')
    expect(readCargoText(text, place)).toHaveProperty('fault')
    expect(
      outcomes(readCargoText(ok('test a ... noise ok\ntest b ... ok', '2 passed; 0 failed; 0 ignored'), place)),
    ).toEqual(['+ tests a', '+ tests b'])
  })
})
