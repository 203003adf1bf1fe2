import { execFileSync } from 'node:child_process'
import type { Page } from '@playwright/test'
import { catalogue } from '#shared/tools/catalogue.ts'
import { expect, test } from './fixtures.ts'
import { openAsOwner } from './sign-in-by-token.ts'

const choose = (page: Page, tool: string) => page.getByLabel('Tool', { exact: true }).selectOption(tool)
const result = (page: Page) => page.getByRole('region', { name: 'Result', exact: true })

/** Fills what is given, executes, and agrees where the page asks first. */
async function execute(page: Page, tool: string, fields: Record<string, string> = {}): Promise<void> {
  await choose(page, tool)
  for (const [label, text] of Object.entries(fields))
    await page.getByRole('textbox', { name: label, exact: true }).fill(text)
  await page.getByRole('button', { name: 'Execute Tool' }).click()
  if (catalogue.find(({ name }) => name === tool)?.annotations.destructiveHint) {
    await page.getByRole('dialog').getByRole('button', { name: 'Execute', exact: true }).click()
  }
  await expect(result(page).getByRole('status')).toContainText(/Success|Refused/)
}

test.describe('the tools', () => {
  test('have a form each, by family', async ({ page, world, expectAccessible }) => {
    test.slow()
    await openAsOwner(page, world, '#/tools')
    const options = page.getByLabel('Tool', { exact: true }).locator('optgroup option')
    await expect(options).toHaveText(
      catalogue.map(({ name }) => name),
      { useInnerText: false },
    )
    for (const { name, input } of catalogue) {
      await choose(page, name)
      const form = page.getByRole('form', { name, exact: true })
      await expect(form.getByRole('button', { name: 'Execute Tool' })).toBeEnabled()
      const entries = Object.keys('entries' in input ? Object(input.entries) : {}).filter(
        (field) => field !== 'confirm',
      )
      // Whether it is meant is asked in a dialog and not in the form.
      const fields = form.locator('.form-fields').first().locator(':scope > *')
      await expect(fields, name).toHaveCount(entries.length)
    }
    await choose(page, 'update_file')
    await expectAccessible()
  })

  test('make an agent, write, read and commit its file', async ({ page, world, look, expectAccessible }) => {
    await openAsOwner(page, world, '#/tools/create_agent')
    await execute(page, 'create_agent', {
      'Agent ID': 'doubler',
      Name: 'Doubler',
      'Managed file': 'doubler.py',
      'System prompt': 'You double numbers.',
    })
    await expect(result(page)).toContainText('Success')
    const registry = page.getByRole('region', { name: 'Agent Registry' })
    await registry.getByRole('button', { name: 'Refresh' }).click()
    await expect(registry.getByText('doubler', { exact: true })).toBeVisible()
    await look('tools-create-agent')

    await execute(page, 'create_agent', { 'Agent ID': 'second-doubler' })
    await expect(result(page)).toContainText('file_already_managed')
    await expect(result(page)).toContainText('Refused')

    const content = 'def twice(n):\n    """It\'s doubled."""\n    return n * 2\n'
    await execute(page, 'agent_update_file', { 'Agent ID': 'doubler', Content: content })
    await expect(result(page).getByText('return n * 2')).toBeVisible()
    await expectAccessible()
    await execute(page, 'get_agent_file', { 'Agent ID': 'doubler' })
    await expect(result(page).locator('code').filter({ hasText: 'twice' })).toHaveText(content)

    await execute(page, 'git_status')
    await expect(result(page)).toContainText('?? doubler.py')
    await execute(page, 'git_diff')
    await expect(result(page).locator('ins').first()).toHaveText('def twice(n):')
    await look('tools-git-diff')
    await execute(page, 'git_commit', { Message: 'test: twice' })
    await expect(result(page)).toContainText(/Committed [0-9a-f]{12} on main: doubler\.py/)
    await execute(page, 'git_log')
    await expect(result(page)).toContainText('test: twice')
    expect(await world.repository.git('log', '-1', '--format=%s')).toBe('test: twice\n')

    const history = page.getByRole('region', { name: 'History' })
    await history.getByRole('button', { name: 'git_status' }).click()
    await expect(page).toHaveURL(/#\/tools\/git_status$/)
    await expect(result(page)).toContainText('?? doubler.py')
  })

  test('say beside the field what is wrong, before and after it was sent', async ({ page, world }) => {
    await openAsOwner(page, world, '#/tools/update_file')
    await page.getByRole('button', { name: 'Add to edits' }).click()
    await page.getByRole('button', { name: 'Move Edits 2 up' }).click()
    await page.getByRole('button', { name: 'Remove Edits 1' }).click()
    await page.getByRole('button', { name: 'Execute Tool' }).click()
    const path = page.getByRole('textbox', { name: 'Path', exact: true })
    await expect(path).toBeFocused()
    await expect(path).toHaveAccessibleDescription('Is needed')
    const search = page.getByRole('textbox', { name: 'Search', exact: true })
    await expect(search).toHaveAccessibleDescription('Is needed')
    await expect(page.getByRole('dialog')).toBeHidden()

    await execute(page, 'validate_file', { Content: 'x = 1\n' })
    await expect(page.getByText('Content and file_path belong together').first()).toBeVisible()

    await choose(page, 'git_log')
    await page.getByRole('tab', { name: 'JSON', exact: true }).first().click()
    await page.getByLabel('Arguments as JSON').fill('{ "limit": 0 }')
    await page.getByRole('button', { name: 'Execute Tool' }).click()
    await expect(result(page)).toContainText('Refused')
    await page.getByRole('tab', { name: 'Form' }).click()
    await expect(page.getByRole('textbox', { name: 'Limit' })).toHaveValue('0')
  })

  test('give a line for curl that does the same', async ({ page, world, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await openAsOwner(page, world, '#/tools/search_files')
    world.repository.write('quotes.txt', `it's "$HOME" \`x\`\n`)
    await page.getByRole('textbox', { name: 'Pattern' }).fill(`it's "$HOME" \`x\``)
    await page.getByRole('button', { name: 'Copy as curl' }).click()
    await expect(page.getByText('Copied as a curl line')).toBeVisible()
    const line = String(await page.evaluate('navigator.clipboard.readText()'))
    expect(line).not.toContain(world.stack.token)
    const answer = execFileSync('sh', ['-c', line], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, MILLWRIGHT_TOKEN: world.stack.token },
    })
    expect(JSON.parse(answer)).toMatchObject({
      result: { structuredContent: { success: true, matches: [{ path: 'quotes.txt', line: 1 }] } },
    })
  })

  test('that can delete ask first, and do nothing when told not to', async ({ page, world }) => {
    world.repository.write('doomed.txt', 'x\n')
    await openAsOwner(page, world, '#/tools/delete_file')
    await page.getByRole('textbox', { name: 'Path', exact: true }).fill('doomed.txt')
    await page.getByRole('button', { name: 'Execute Tool' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await expect(page.getByRole('dialog')).toBeHidden()
    await expect(result(page)).toContainText('Nothing executed yet')
    expect(world.repository.exists('doomed.txt')).toBe(true)
    await execute(page, 'delete_file', { Path: 'doomed.txt' })
    expect(world.repository.exists('doomed.txt')).toBe(false)
  })
})
