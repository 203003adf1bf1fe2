import { describe, expect, it } from 'vitest'
import { parseJunit } from './junit.ts'
import { readPytestReport } from './pytest.ts'
import { toFile, toMessage, toName, withOwnNames } from './report.ts'

const place = { root: '/repository', folder: 'sub', paths: [] }

describe('parseJunit', () => {
  it('takes suites in suites, and one suite alone', () => {
    const one = '<testcase name="a"/>'
    expect(
      parseJunit(`<testsuites><testsuite name="s"><testsuite name="t">${one}</testsuite></testsuite></testsuites>`),
    ).toMatchObject({
      cases: [{ suites: ['s', 't'], attributes: { name: 'a' }, problem: null, isSkipped: false }],
      claims: null,
    })
    expect(parseJunit(`<testsuite failures="1" errors="2" skipped="3">${one}</testsuite>`)).toMatchObject({
      claims: { failures: 1, errors: 2, skipped: 3 },
    })
  })

  it('reads characters that XML does not allow as U+FFFD, plain or by number', () => {
    const text = '\\u0000\\u001b\\ufffe\\ud800'.replaceAll(/\\u(....)/g, (_all, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
    const xml = `<testsuites><testcase name="${text}&#0;&#x1B;&#xD800;&#x110000;&#65;&#x1F600;"/></testsuites>`
    expect(parseJunit(xml)).toMatchObject({ cases: [{ attributes: { name: `${'\uFFFD'.repeat(8)}A😀` } }] })
  })

  it.each<[string, string]>([
    ['nothing', ''],
    ['words', 'all is well'],
    ['two documents', '<testsuites/><testsuites/>'],
    ['what is cut', '<testsuites><testcase name="a">'],
    ['an attribute twice', '<testsuites><testcase name="a" name="b"/></testsuites>'],
    ['an entity of its own', '<!DOCTYPE a [<!ENTITY b "c">]><testsuites><testcase name="&b;"/></testsuites>'],
    [
      'a file by an entity',
      '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><testsuites><testcase name="&b;"/></testsuites>',
    ],
    ['elements as deep as memory', '<testsuite>'.repeat(300_000)],
    ['deep ones that are closed', `${'<testsuite>'.repeat(100_000)}${'</testsuite>'.repeat(100_000)}`],
    ['suites that the parser still follows', `${'<testsuite>'.repeat(4500)}${'</testsuite>'.repeat(4500)}`],
    ['what is too long', `<testsuites>${' '.repeat(9_000_000)}</testsuites>`],
    ['a page', '<html><testcase name="a"/></html>'],
  ])('refuses %s', (_what, xml) => {
    expect(parseJunit(xml)).toEqual({ fault: expect.stringMatching(/^it (is|has) /) })
  })
})

describe('readPytestReport', () => {
  const report = (counts: string, tests: string) =>
    readPytestReport(`<testsuites><testsuite ${counts}>${tests}</testsuite></testsuites>`, place)
  const failed = '<testcase classname="a" name="b"><failure message="no"/></testcase>'

  it.each([
    ['fewer failures than it has', 'errors="0" failures="0" skipped="0"', failed],
    ['more than it has', 'errors="0" failures="2" skipped="0"', failed],
    ['errors that are not there', 'errors="1" failures="1" skipped="0"', failed],
    ['no number', 'errors="0" failures="one" skipped="0"', failed],
  ])('does not believe counts that tell %s', (_what, counts, tests) => {
    expect(report(counts, tests)).toEqual({ fault: 'its counts are not those of its tests' })
  })

  it('does not believe one that counts nothing', () => {
    expect(report('', failed)).toEqual({ fault: 'it counts nothing' })
  })
})

describe('what a report says', () => {
  it('becomes names of one plain line', () => {
    expect(toName('\u001b[31mred\u001b[0m\r\nnext\u202e\u0000')).toBe('red\uFFFDnext\uFFFD')
    expect(toName('x'.repeat(1000))).toHaveLength(301)
    expect(toName(`${'x'.repeat(299)}😀`).isWellFormed()).toBe(true)
  })

  it('becomes messages without colours, bells and the folder of the run', () => {
    expect(toMessage(' \u001b[1mat\u001b[0m /repository/a.py\u0007 and file:///repository/b.js\r\n', place)).toBe(
      'at a.py and b.js',
    )
    expect(toMessage('in /repository, not in "/repository"', place)).toBe('in ., not in "."')
    const long = toMessage(`begin${'x'.repeat(5000)}end`, place)
    expect(long).toMatch(/^beginx+\n\[\.\.\. 4008 characters cut \.\.\.\]\nx+end$/)
  })

  it.each([
    ['a.py', 'sub/a.py'],
    ['./b/../a.py', 'sub/a.py'],
    ['../a.py', 'a.py'],
    ['../../a.py', null],
    ['/repository/a.py', 'a.py'],
    ['file:///repository/a%20b.py', 'a b.py'],
    ['file:///repository/%', '%'],
    ['/repository/../etc/passwd', null],
    ['/repositoryx/a.py', null],
    ['/usr/lib/a.py', null],
    ['node_modules/x/a.js', null],
    ['', null],
  ])('has the place %s at %s', (text, path) => {
    expect(toFile(text, { ...place, folder: text === '' ? '' : 'sub' })).toBe(path)
  })

  it('tells tests of one name apart', () => {
    const test = (name: string) => ({ name, outcome: 'passed' as const, failure: null })
    expect(withOwnNames(['a', 'b', 'a', 'a'].map(test)).map(({ name }) => name)).toEqual(['a', 'b', 'a (2)', 'a (3)'])
  })
})
