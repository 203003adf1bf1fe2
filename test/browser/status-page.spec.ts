import { expect, test } from './fixtures.ts'

test.describe('the status page', () => {
  test('says that all is well, and where the endpoint is', async ({
    page,
    world,
    complaints,
    look,
    expectAccessible,
  }) => {
    complaints.allow(/favicon\.ico/)
    await page.goto(world.stack.pageUrl)
    await expect(page.getByRole('status')).toHaveText(/^Running, version \d/)
    await expect(page.getByText(world.stack.url, { exact: true })).toBeVisible()
    await expectAccessible()
    await look('status')
  })
})
