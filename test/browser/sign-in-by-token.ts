import type { Page } from '@playwright/test'
import type { BrowserWorld } from '#test/support/browser-world.ts'

/** Opens a view as the owner, by the token that `npm start` prints. */
export async function openAsOwner(page: Page, world: BrowserWorld, hash: string): Promise<void> {
  await page.goto(new URL(`/orchestrator${hash}`, world.stack.url).href)
  await page.getByRole('tab', { name: /token/i }).click()
  await page.getByRole('textbox', { name: 'Access token' }).fill(world.stack.token)
  await page.getByRole('button', { name: 'Use this token' }).click()
  await page.getByText('Authenticated', { exact: true }).waitFor()
}
