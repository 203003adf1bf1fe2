import { describe, expect, it } from 'vitest'
import { createTestLookup } from './tests-of.ts'

describe('whether a file has a test of its own', () => {
  it.each<[string, string]>([
    ['tests/test_shop.py', 'src/shop.py'],
    ['shop_test.py', 'shop.py'],
    ['src/shop.test.ts', 'src/shop.ts'],
    ['shop.spec.tsx', 'shop.tsx'],
    ['shop_test.go', 'shop.go'],
    ['src/ShopTest.java', 'src/Shop.java'],
    ['test_shop.py', 'shop/__init__.py'],
    ['test/shop.js', 'lib/shop.js'],
  ])('%s is one of %s', (test, path) => {
    expect(createTestLookup([test])(path)).toBe(true)
    expect(createTestLookup([path, 'tests/test_other.py'])(path)).toBe(false)
  })
})
