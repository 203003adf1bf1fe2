import { expect, type Locator, type Page } from '@playwright/test'
import type { ProcedureWorld } from './procedure.ts'

// The page by the words that a person reads on it.

/** Where the page keeps its session in the browser. */
export const SESSION_KEY = 'millwright.session'

export async function openOrchestrator({ page, stack }: ProcedureWorld): Promise<void> {
  await page.goto(new URL('/orchestrator', stack.url).href)
  await expect(page.getByRole('heading', { name: 'Authentication' })).toBeVisible()
}

export const keyField = (page: Page): Locator => page.getByRole('textbox', { name: 'RSA private key' })

export const authenticateButton = (page: Page): Locator =>
  page.getByRole('button', { name: 'Authenticate', exact: true })

/** The status of the session: its words and its light. */
export const sessionStatus = (page: Page): Locator => page.getByRole('banner').getByRole('status')

/** What only who is signed in may touch. */
export const protectedPanels = (page: Page): Locator => page.locator('[data-protected]')

export async function signIn(world: ProcedureWorld): Promise<void> {
  const { page, privateKey } = world
  await openOrchestrator(world)
  await keyField(page).fill(privateKey)
  await authenticateButton(page).click()
  await expect(sessionStatus(page)).toContainText('Authenticated')
}

export async function goToView(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name }).click()
}

/** "Refresh" of the panel with the agents. */
export async function refreshAgents(page: Page): Promise<void> {
  await goToView(page, 'Agents')
  await page.getByRole('region', { name: 'Agent Registry' }).getByRole('button', { name: 'Refresh' }).click()
}

/** The row of an agent in the list. */
export const agentRow = (page: Page, agentId: string): Locator =>
  page.getByRole('region', { name: 'Agent Registry' }).getByRole('listitem').filter({ hasText: agentId })

/** In the tool selector. */
export async function selectTool(page: Page, name: string): Promise<void> {
  await goToView(page, 'Tools')
  await page.getByRole('combobox', { name: 'Tool', exact: true }).selectOption(name)
  await expect(page.getByRole('button', { name: 'Execute Tool' })).toBeEnabled()
}

/** Fills the fields of the tool's form, by the names of its arguments. */
export async function fillArguments(page: Page, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(fields)) {
    await page.getByRole('textbox', { name: new RegExp(`^${name}\\b`) }).fill(value)
  }
}

/** Presses the button and resolves when there is an answer. */
export async function executeTool(page: Page): Promise<Locator> {
  await page.getByRole('button', { name: 'Execute Tool' }).click()
  const result = page.getByRole('region', { name: 'Result' })
  await expect(result).toBeVisible()
  return result
}
