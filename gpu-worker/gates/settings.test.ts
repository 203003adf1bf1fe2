import { describe, expect, it } from 'vitest'
import { defaultSettings, parseSettings } from './settings.ts'

describe('parseSettings', () => {
  it('takes an empty object, with a byte-order mark or without', () => {
    expect(JSON.stringify(parseSettings('\uFEFF{}'))).toBe(JSON.stringify(defaultSettings))
  })

  it('takes every key', () => {
    const settings = parseSettings(
      JSON.stringify({
        $schema: './millwright.schema.json',
        checks: {
          severities: { secrets: 'warning', missing_docs: 'error' },
          line_limit: { lines: 200, files: [{ glob: '*.sql', lines: 50 }] },
          forbidden_pattern: [{ pattern: 'eval\\(', files: '*.py', message: 'No eval' }],
          secrets: { allow: ['^test-'], allow_files: ['fixtures/**'] },
          missing_docs: { languages: ['python'] },
          function_length: { lines: 40 },
          complexity: { cyclomatic: 5, cognitive: 6 },
        },
        answers: { edits_above_lines: 150 },
      }),
    )
    expect(settings).toMatchObject({
      severities: { syntax: 'error', secrets: 'warning', missing_docs: 'error' },
      lineLimits: { linesMax: 200, files: [{ linesMax: 50 }] },
      functionLinesMax: 40,
      complexity: { cyclomaticMax: 5, cognitiveMax: 6 },
      documented: new Set(['python']),
      editsAboveLines: 150,
    })
    expect(settings.forbidden[0]?.matches('a.py')).toBe(true)
    expect(settings.forbidden[0]?.matches('a.js')).toBe(false)
  })

  it.each<[string, unknown, string]>([
    ['an unknown key', { rules: {} }, 'rules: unknown field'],
    ['a misspelt rule', { checks: { severities: { secret: 'off' } } }, 'checks.severities.secret: unknown field'],
    [
      'configuration as a rule',
      { checks: { severities: { configuration: 'off' } } },
      'checks.severities.configuration',
    ],
    ['a wrong severity', { checks: { severities: { secrets: 'no' } } }, 'checks.severities.secrets: expected'],
    ['a limit that is text', { checks: { function_length: { lines: '9' } } }, 'checks.function_length.lines: expected'],
    ['a limit of none', { checks: { line_limit: { lines: 0 } } }, 'checks.line_limit.lines: must be at least 1'],
    ['half a line', { checks: { line_limit: { lines: 1.5 } } }, 'checks.line_limit.lines: must be a whole number'],
    [
      'a language without such comments',
      { checks: { missing_docs: { languages: ['c'] } } },
      'missing_docs.languages.0',
    ],
    [
      'a pattern without a message',
      { checks: { forbidden_pattern: [{ pattern: 'a' }] } },
      'forbidden_pattern.0.message',
    ],
    [
      'a pattern that RE2 cannot run',
      { checks: { forbidden_pattern: [{ pattern: 'a(?=b)', message: 'm' }] } },
      'checks.forbidden_pattern.0.pattern: not an expression that RE2 can run',
    ],
    [
      'a pattern that is too large to run',
      { checks: { forbidden_pattern: [{ pattern: '(a{1,900}){1,900}', message: 'm' }] } },
      'checks.forbidden_pattern.0.pattern: not an expression',
    ],
    [
      'a pattern that matches everywhere',
      { checks: { forbidden_pattern: [{ pattern: 'a*', message: 'm' }] } },
      'checks.forbidden_pattern.0.pattern: matches the empty text',
    ],
    ['a broken glob', { checks: { secrets: { allow_files: ['ok', '{a'] } } }, 'checks.secrets.allow_files.1: brackets'],
    ['a list', [], 'it is a list'],
  ])('refuses %s, naming the key', (_what, value, message) => {
    expect(() => parseSettings(JSON.stringify(value))).toThrow(message)
  })

  it.each(['', '{"checks": {}', '{\n  "a": 1,\n}', '// comment\n{}', 'null'])(
    'refuses what is no object: %j',
    (text) => {
      expect(() => parseSettings(text)).toThrow('Cannot read millwright.json')
    },
  )

  it('says where JSON breaks', () => {
    expect(() => parseSettings('{\n  "checks": {}\n  "more": 1\n}')).toThrow('not valid JSON at line 3')
  })
})
