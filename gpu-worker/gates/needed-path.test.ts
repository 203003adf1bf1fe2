import { describe, expect, it } from 'vitest'
import { createNeededPath, toPathsByName } from './needed-path.ts'

const isThere = (place: string, file: string, ...paths: string[]): boolean =>
  createNeededPath(place, 'key').isThere(file, toPathsByName([file, ...paths]))

describe('createNeededPath', () => {
  it.each([
    ['{dir}/{name}.test.{ext}', 'src/a/user.ts', 'src/a/user.test.ts'],
    ['{dir}/{name}.test.{ext}', 'user.ts', 'user.test.ts'],
    ['tests/{sub}/test_{name}.py', 'src/shop/user.py', 'tests/shop/test_user.py'],
    ['tests/{sub}/test_{name}.py', 'src/user.py', 'tests/test_user.py'],
    ['test/{dir}/{name}.test.ts', 'src/user.ts', 'test/src/user.test.ts'],
    ['**/test_{name}.py', 'src/user.py', 'test_user.py'],
    ['**/test_{name}.py', 'src/user.py', 'a/b/c/test_user.py'],
    ['tests/**/unit/**/test_{name}.py', 'user.py', 'tests/x/unit/test_user.py'],
    ['tests/**/unit/**/test_{name}.py', 'user.py', 'tests/unit/unit/y/test_user.py'],
    ['{dir}/{name}.test.{ext}', 'src/a.b.ts', 'src/a.b.test.ts'],
    ['{dir}/{name}_test', 'src/Makefile', 'src/Makefile_test'],
  ])('finds %s of %s at %s', (place, file, there) => {
    expect(isThere(place, file, there)).toBe(true)
  })

  it.each([
    ['{dir}/{name}.test.{ext}', 'src/a/user.ts', 'src/b/user.test.ts'],
    ['tests/**/unit/**/test_{name}.py', 'user.py', 'tests/x/test_user.py'],
    ['**/test_{name}.py', 'src/user.py', 'src/test_user.pyc'],
    // A file is not its own test.
    ['**/{name}.{ext}', 'src/user.py', 'src/other.py'],
    // Characters of a name are themselves.
    ['**/test_{name}.py', 'a[b]{c}.py', 'test_abc.py'],
  ])('does not take %s of %s for %s', (place, file, other) => {
    expect(isThere(place, file, other)).toBe(false)
  })

  it('takes time that grows with the path, however many ** there are', () => {
    const place = createNeededPath(`${'**/a/'.repeat(90)}b/x.py`, 'key')
    expect(place.isThere('y.py', toPathsByName([`${'a/'.repeat(900)}x.py`]))).toBe(false)
  })

  it.each(['{file}.py', 'test/*/a.py', 'test/[a].py', 'test/**', '/test/a.py', '../a.py', 'a?.py', '**a/b.py'])(
    'refuses %s, naming the key',
    (place) => {
      expect(() => createNeededPath(place, 'checks.missing_tests.0.tests.1')).toThrow(
        'checks.missing_tests.0.tests.1: ',
      )
    },
  )
})
