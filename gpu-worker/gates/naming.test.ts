import { afterAll, describe, expect, it } from 'vitest'
import { createRuleFindings } from '#test/support/rule-findings.ts'

const rule = createRuleFindings('naming')
afterAll(() => rule.close())

const find = async (path: string, text: string, naming: object[], before: string | null = null) =>
  (await rule.find({ path, text, before }, { naming })).map(
    ({ severity, line, message }) => `${severity} ${line ?? '-'} ${message}`,
  )

describe('the rule naming', () => {
  it('asks nothing where the repository says nothing', async () => {
    const checks = await rule.check({ path: 'BadName.py', text: 'def BadName():\n    pass\n' })
    expect(checks.ran).not.toContain('naming')
    expect(checks.skipped.map((each) => each.rule)).not.toContain('naming')
  })

  it('finds functions, methods, classes and constants that are written in another way', async () => {
    const text = `from typing import Final

maxUsers: Final = 3
MAX_ITEMS: Final[int] = 3
notConstant = 4


class user_store:
    def __init__(self):
        pass

    def getUser(self):
        pass

    def _get_item(self):
        pass


def HTTPGet():
    def Inner():
        pass
`
    expect(
      await find('store.py', text, [
        { of: 'functions', style: 'snake_case' },
        { of: 'classes', style: 'PascalCase' },
        { of: 'constants', style: 'UPPER_CASE' },
      ]),
    ).toEqual([
      'error 12 `getUser` is not in snake_case: rename it',
      'error 19 `HTTPGet` is not in snake_case: rename it',
      'error 8 `user_store` is not in PascalCase: rename it',
      'error 3 `maxUsers` is not in UPPER_CASE: rename it',
    ])
  })

  it('lets the first entry that fits the file decide, and any make an exception', async () => {
    const naming = [
      { of: 'functions', style: 'any', files: 'legacy/**' },
      { of: 'functions', style: ['camelCase', 'PascalCase'], languages: ['typescript'], allow: ['^test_'] },
      { of: 'functions', style: 'snake_case' },
    ]
    expect(await find('legacy/a.py', 'def GetIt():\n    pass\n', naming)).toEqual([])
    expect(await find('src/a.py', 'def GetIt():\n    pass\n', naming)).toHaveLength(1)
    const text = 'export function App() {}\nexport const useIt = () => 1\nfunction get_it() {}\nfunction test_it() {}\n'
    expect(await find('src/a.tsx', text, naming)).toEqual([
      'error 3 `get_it` is not in camelCase or PascalCase: rename it',
    ])
  })

  it('judges the name of a file up to its first dot, and of its folders', async () => {
    const naming = [
      { of: 'files', style: 'kebab-case', files: 'src/**' },
      { of: 'folders', style: 'kebab-case' },
    ]
    expect(await find('src/user-store.test.ts', 'x\n', naming)).toEqual([])
    expect(await find('src/.eslintrc.json', '{}', naming)).toEqual([])
    expect(await find('src/myViews/UserStore.test.ts', 'x\n', naming)).toEqual([
      'error - The file name `UserStore.test.ts` is not in kebab-case: rename it',
      'error - The folder name `myViews` is not in kebab-case: rename it',
    ])
  })

  it('takes what was there before for old', async () => {
    const naming = [
      { of: 'functions', style: 'snake_case' },
      { of: 'files', style: 'snake_case' },
    ]
    const before = 'def GetIt():\n    pass\n'
    expect(await find('My.py', `${before}def PutIt():\n    pass\n`, naming, before)).toEqual([
      'warning - The file name `My.py` is not in snake_case: rename it',
      'error 3 `PutIt` is not in snake_case: rename it',
      'warning 1 `GetIt` is not in snake_case: rename it',
    ])
  })

  it('knows the styles', async () => {
    const names = ['user', 'user_name', 'userName', 'UserName', 'user-name', 'USER_NAME', 'user2', '_user', '名前']
    const fitting = async (style: string): Promise<string[]> => {
      const fits: string[] = []
      for (const name of names)
        if ((await find(`${name}.py`, 'x = 1\n', [{ of: 'files', style }])).length === 0) fits.push(name)
      return fits
    }
    expect(await fitting('snake_case')).toEqual(['user', 'user_name', 'user2', '_user', '名前'])
    expect(await fitting('camelCase')).toEqual(['user', 'userName', 'user2', '_user', '名前'])
    expect(await fitting('PascalCase')).toEqual(['UserName', '名前'])
    expect(await fitting('kebab-case')).toEqual(['user', 'user-name', 'user2', '_user', '名前'])
    expect(await fitting('UPPER_CASE')).toEqual(['USER_NAME', '名前'])
  })

  it('says that it could not look into a file that does not parse', async () => {
    const naming = [{ of: 'functions', style: 'snake_case' }]
    const found = await rule.check({ path: 'a.py', text: 'def BadName(:\n' }, { naming })
    expect(found.skipped).toContainEqual({ rule: 'naming', reason: 'the file does not parse' })
  })
})
