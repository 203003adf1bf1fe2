import { describe, expect, it } from 'vitest'
import { parseSettings } from './settings.ts'

const parse = (settings: object) => parseSettings(JSON.stringify(settings))

describe('the settings of structure', () => {
  it.each<[string, object, string]>([
    ['a style that is none', { naming: [{ of: 'files', style: 'Kebab' }] }, 'checks.naming.0.style'],
    ['a misspelt key', { naming: [{ of: 'files', style: 'any', file: '*' }] }, 'checks.naming.0.file: unknown'],
    ['no style at all', { naming: [{ of: 'files', style: [] }] }, 'checks.naming.0.style'],
    [
      'a name pattern that RE2 cannot run',
      { naming: [{ of: 'files', style: 'any', allow: ['(?=a)b'] }] },
      'checks.naming.0.allow.0: not an expression that RE2 can run',
    ],
    ['a glob that is none', { missing_tests: [{ files: '{a', tests: ['a'] }] }, 'checks.missing_tests.0.files'],
    ['no place for a test', { missing_tests: [{ files: '*', tests: [] }] }, 'checks.missing_tests.0.tests'],
    ['a README in a folder', { missing_readmes: { names: ['a/README'] } }, 'checks.missing_readmes.names.0'],
    ['a limit of complexity', { complexity: { files: [{ glob: 'a', cyclomatic: 0 }] } }, 'at least 1'],
  ])('refuses %s', (_what, checks, message) => {
    expect(() => parse({ checks })).toThrow(message)
  })

  it('refuses a protected path that is no glob', () => {
    expect(() => parse({ protected_paths: ['a', '[a'] })).toThrow('protected_paths.1')
  })

  it('has tests and READMEs of common layouts by default', () => {
    const { requiredTests, requiredReadmes, naming, protectedPaths } = parse({})
    const isAsked = (path: string) => requiredTests.some(({ matches }) => matches(path))
    for (const path of ['src/user.py', 'user.ts', 'a/b/App.tsx', 'lib/x.mjs']) expect(isAsked(path), path).toBe(true)
    const free = ['src/__init__.py', 'src/_version.py', 'setup.py', 'docs/conf.py', 'a/docs/x.ts', 'a.d.ts']
    for (const path of [...free, 'src/index.ts', 'vite.config.ts', '.eslintrc.cjs', 'a.go', 'README.md'])
      expect(isAsked(path), path).toBe(false)
    expect(requiredReadmes.folder('.')).toBe(true)
    expect(requiredReadmes.folder('src')).toBe(false)
    expect(requiredReadmes.beside('packages/a/package.json')).toBe(true)
    expect(naming).toEqual([])
    expect(protectedPaths('a.py')).toBe(false)
  })

  it('protects what a glob names, what lies below it, and other spellings of it', () => {
    const { protectedPaths } = parse({ protected_paths: ['migrations/', 'db/**/*.sql', 'LICENSE', '/top.py'] })
    const named = ['app/migrations/deep/1.py', 'Migrations/1.py', 'db/a.sql', 'db/x/B.SQL', 'license', 'sub/LICENSE']
    for (const path of [...named, 'LICENSE/x', 'top.py', 'ＬICENSE']) expect(protectedPaths(path), path).toBe(true)
    for (const path of ['migrations.py', 'db/a.py', 'sub/top.py', 'LICENSES'])
      expect(protectedPaths(path), path).toBe(false)
  })

  it('gives files other limits of complexity by glob, of which the first decides', () => {
    const files = [
      { glob: 'gen/**', cyclomatic: 50 },
      { glob: '*.py', cognitive: 99 },
    ]
    const { complexity } = parse({ checks: { complexity: { cyclomatic: 7, files } } })
    expect(complexity).toMatchObject({ cyclomaticMax: 7, cognitiveMax: 15 })
    expect(complexity.files).toMatchObject([
      { cyclomaticMax: 50, cognitiveMax: 15 },
      { cyclomaticMax: 7, cognitiveMax: 99 },
    ])
    expect(complexity.files.find(({ matches }) => matches('gen/a.py'))?.cyclomaticMax).toBe(50)
  })
})
