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

const agentRegistry = (page: Page): Locator => page.getByRole('region', { name: 'Agent Registry' })

/** "Refresh" of the panel with the agents, which stands beside the tools. */
export async function refreshAgents(page: Page): Promise<void> {
  await goToView(page, 'Tools')
  await agentRegistry(page).getByRole('button', { name: 'Refresh' }).click()
}

/** An agent in the list. */
export const agentRow = (page: Page, agentId: string): Locator =>
  agentRegistry(page).getByRole('listitem').filter({ hasText: agentId })

/** In the tool selector. */
export async function selectTool(page: Page, name: string): Promise<void> {
  await goToView(page, 'Tools')
  await page.getByRole('combobox', { name: 'Tool', exact: true }).selectOption(name)
  await expect(toolForm(page, name)).toBeVisible()
}

const toolForm = (page: Page, name: string): Locator => page.getByRole('form', { name, exact: true })

/** Fills fields of the tool's form, by their labels. */
export async function fillFields(page: Page, tool: string, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, value] of Object.entries(fields)) {
    await toolForm(page, tool).getByRole('textbox', { name: label, exact: true }).fill(value)
  }
}

/** Presses "Execute Tool", says yes where the page asks once more, and resolves to the result when it has come. */
export async function executeTool(page: Page, tool: string): Promise<Locator> {
  const history = page.getByRole('region', { name: 'History' }).getByRole('listitem')
  const question = page.getByRole('dialog', { name: `Execute ${tool}?` })
  const before = await history.count()
  await toolForm(page, tool).getByRole('button', { name: 'Execute Tool' }).click()
  await expect.poll(async () => (await question.isVisible()) || (await history.count()) > before).toBe(true)
  if (await question.isVisible()) await question.getByRole('button', { name: 'Execute', exact: true }).click()
  await expect(history).toHaveCount(before + 1)
  const result = page.getByRole('region', { name: 'Result', exact: true })
  await expect(result.locator('[data-result]')).toHaveAttribute('data-result', /Success|Refused/)
  return result
}

/** What a result says at its head. */
export const outcomeOf = (result: Locator): Locator => result.locator('[data-result]')

/** Creates an agent by its tool, which must succeed. */
export async function createAgent(page: Page, agent: { id: string; name: string; file: string }): Promise<void> {
  await selectTool(page, 'create_agent')
  await fillFields(page, 'create_agent', {
    'Agent ID': agent.id,
    Name: agent.name,
    'Managed file': agent.file,
    'System prompt': 'You write one file',
  })
  await expect(outcomeOf(await executeTool(page, 'create_agent'))).toContainText('Success')
}
