import { describe, expect, it } from 'vitest'
import { findTestPlace } from './test-place.ts'

const placeOf = (source: string, ...paths: string[]) => findTestPlace(source, [source, ...paths])?.path

describe('findTestPlace', () => {
  it('takes the test file that is there, wherever it is', () => {
    expect(placeOf('src/a.ts', 'test/unit/a.spec.ts', 'src/b.test.ts')).toBe('test/unit/a.spec.ts')
    expect(placeOf('pkg/a.py', 'tests/test_b.py', 'pkg/a_test.py')).toBe('pkg/a_test.py')
    expect(placeOf('web/src/a.ts', 'api/test/a.test.ts', 'web/test/a.test.ts')).toBe('web/test/a.test.ts')
  })

  it.each([
    ['Python without tests', 'pkg/a.py', [], 'tests/test_a.py'],
    ['Python with a folder of tests', 'src/pkg/a.py', ['test/test_b.py'], 'test/test_a.py'],
    ['Python with tests beside sources', 'pkg/a.py', ['pkg/test_b.py', 'pkg/b.py'], 'pkg/test_a.py'],
    ['Python that ends names', 'pkg/a.py', ['tests/b_test.py'], 'tests/a_test.py'],
    ['TypeScript without tests', 'src/a.ts', [], 'src/a.test.ts'],
    ['TypeScript with tests beside sources', 'src/a.ts', ['src/b.test.ts'], 'src/a.test.ts'],
    ['TypeScript with specs', 'src/a.tsx', ['src/b.spec.ts', 'src/c.spec.ts', 'src/d.test.ts'], 'src/a.spec.tsx'],
    ['JavaScript with a folder of tests', 'lib/a.js', ['test/b.test.js'], 'test/a.test.js'],
    ['JavaScript with __tests__', 'lib/a.js', ['lib/__tests__/b.test.js'], 'lib/__tests__/a.test.js'],
    ['the tests of another package', 'web/a.py', ['api/tests/test_b.py', 'web/tests/test_c.py'], 'web/tests/test_a.py'],
    ['Go', 'store/a.go', [], 'store/a_test.go'],
    ['Rust', 'crate/src/deep/a.rs', [], 'crate/tests/a.rs'],
  ])('puts new tests where the repository has them: %s', (_what, source, paths, expected) => {
    expect(placeOf(source, ...paths)).toBe(expected)
  })

  it('puts tests where the rules of the repository want them', () => {
    const paths = ['src/b.test.ts', 'test/old/a.test.ts']
    expect(findTestPlace('src/a.ts', paths, ['test/new/a.test.ts', 'test/old/a.test.ts'])?.path).toBe(
      'test/old/a.test.ts',
    )
    expect(findTestPlace('src/a.ts', paths, ['test/new/a.test.ts'])?.path).toBe('test/new/a.test.ts')
  })

  it('names the nearest other test file as an example', () => {
    const paths = ['src/x/b.test.ts', 'src/y/c.test.ts', 'test/conftest.py']
    expect(findTestPlace('src/y/a.ts', paths)).toEqual({ path: 'src/y/a.test.ts', example: 'src/y/c.test.ts' })
    expect(findTestPlace('src/y/a.py', paths)?.example).toBeNull()
  })

  it('knows no place for what has no habit', () => {
    expect(findTestPlace('src/a.c', ['tests/a.c'])).toBeNull()
  })
})
