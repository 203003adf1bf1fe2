import { expect, test } from './fixtures.ts'
import { openAsOwner } from './sign-in-by-token.ts'

test.use({
  worldOptions: {
    files: {
      'README.md': '# Sample\n',
      'src/adder.py': 'def add(a, b):\n    return a + b\n',
      'src/in/deep.py': 'x = 1\n',
      'long.txt': Array.from({ length: 40_000 }, (_, index) => `line ${index + 1}\n`).join(''),
    },
  },
})

test.describe('the repository', () => {
  test('is a tree for the keyboard, with owners and changes', async ({ page, world, look, expectAccessible }) => {
    await world.client.ok('create_agent', {
      agent_id: 'adder',
      name: 'Adder',
      managed_file: 'src/adder.py',
      system_prompt: 'Add.',
    })
    world.repository.write('src/in/deep.py', 'x = 2\n')
    await openAsOwner(page, world, '#/repository')
    const item = (name: RegExp) => page.getByRole('treeitem', { name })
    await expect(item(/^.?src/)).toHaveAttribute('aria-expanded', 'false')
    await page.getByRole('tree', { name: 'Files' }).focus()
    await page.keyboard.press('Home')
    await page.keyboard.press('ArrowRight')
    await expect(item(/adder\.py owned by adder/)).toBeVisible()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowRight')
    await expect(item(/deep\.py changed/)).toBeVisible()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Enter')
    await expect(page).toHaveURL(/#\/repository\/src\/in\/deep\.py$/)
    await expect(page.getByRole('textbox', { name: 'Text of src/in/deep.py' })).toContainText('x = 2')
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('ArrowLeft')
    await expect(item(/deep\.py/)).toBeHidden()
    await expectAccessible()
    await look('repository-file')
  })

  test('commits what is chosen, and shows what a commit changed', async ({ page, world, look, expectAccessible }) => {
    world.repository.write('README.md', '# Other\n')
    world.repository.write('left.txt', 'left\n')
    await openAsOwner(page, world, '#/repository')
    await page.getByRole('button', { name: /README\.md/ }).click()
    await expect(page.locator('del')).toHaveText('# Sample')
    await expect(page.locator('ins')).toHaveText('# Other')
    await page.getByLabel('All').uncheck()
    await expect(page.getByRole('button', { name: 'Choose files to commit' })).toBeDisabled()
    await page.getByLabel('Commit README.md').check()
    await page.getByRole('button', { name: 'Commit 1 file' }).click()
    await expect(page.getByRole('textbox', { name: 'Message' })).toHaveAccessibleDescription('Is needed')
    await page.getByRole('textbox', { name: 'Message' }).fill('readme: another title')
    await expectAccessible()
    await look('repository-changes')
    await page.getByRole('button', { name: 'Commit 1 file' }).click()
    await expect(page.getByLabel('Commit README.md')).toBeHidden()
    await expect(page.getByLabel('Commit left.txt')).toBeVisible()
    expect(await world.repository.git('show', '--format=%s', '--name-only')).toBe(
      'readme: another title\n\nREADME.md\n',
    )
    await page.getByRole('tab', { name: 'Log' }).click()
    await page.getByRole('button', { name: /readme: another title/ }).click()
    await expect(page.locator('ins')).toHaveText('# Other')
    await look('repository-log')
  })

  test('says of each file that cannot be shown why', async ({ page, world }) => {
    world.repository.write('logo.bin', new Uint8Array([1, 0, 2]))
    await openAsOwner(page, world, '#/repository/logo.bin')
    await expect(page.getByRole('alert').filter({ hasText: 'binary' })).toBeVisible()
    await page.goto(new URL('/orchestrator#/repository/.env', world.stack.url).href)
    await expect(page.getByRole('alert').filter({ hasText: '.env' })).toBeVisible()
    await page.goto(new URL('/orchestrator#/repository/long.txt', world.stack.url).href)
    await expect(page.getByText('40,000 lines, of which')).toBeVisible()
    const text = page.getByRole('textbox', { name: 'Text of long.txt' })
    const search = page.getByRole('searchbox', { name: 'Search in long.txt' })
    await search.fill('line 3999')
    await expect(page.getByText('1 of 1', { exact: true })).toBeVisible()
    await expect(text).toContainText('line 3999')
    // What comes then is looked through as well, and the reader stays where they are.
    await page.getByRole('button', { name: 'Show more lines' }).click()
    await expect(page.getByText('1 of 11', { exact: true })).toBeVisible()
    await expect(text).toContainText('line 3999')
    await expect(text).not.toContainText('line 40000')
    await search.fill('line 40000')
    await expect(text).toContainText('line 40000')
  })

  test('on a detached HEAD says so, and what to do', async ({ page, world }) => {
    await world.repository.git('checkout', '-q', '--detach')
    try {
      world.repository.write('detached.txt', 'x\n')
      await openAsOwner(page, world, '#/repository')
      await expect(page.getByText('On a detached HEAD: switch to a branch to commit')).toBeVisible()
      await page.getByRole('textbox', { name: 'Message' }).fill('m')
      await page.getByRole('button', { name: /^Commit/ }).click()
      await expect(page.getByRole('alert').filter({ hasText: 'HEAD is detached' })).toBeVisible()
    } finally {
      await world.repository.git('checkout', '-q', 'main')
    }
  })
})
