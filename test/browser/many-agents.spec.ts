import { type BenchStack, startBenchStack } from '#scripts/bench/bench-stack.ts'
import { scrollAgents } from '#scripts/bench/scroll-agents.ts'
import { expect, test } from './fixtures.ts'

// The list with ten thousand agents, from its head to its end and by search. How smoothly it scrolls is a figure of the bench.

const AGENTS = 10_000

test.describe('ten thousand agents', () => {
  let world: BenchStack

  test.beforeAll(async ({ browserMissing }) => {
    if (browserMissing !== undefined) return
    world = await startBenchStack({ agents: AGENTS, signal: new AbortController().signal })
  })

  test.afterAll(() => world?.stop())

  test.setTimeout(150_000)
  test('are listed to the last without an element for each, and found by name', async ({ page }) => {
    await page.setViewportSize({ width: 1280, height: 900 })
    await page.goto(`${world.stack.pageUrl}orchestrator#/agents`)
    await page.getByRole('tab', { name: 'Access token' }).click()
    await page.getByLabel('Access token').and(page.locator('input')).fill(world.stack.token)
    await page.getByRole('button', { name: 'Use this token' }).click()
    await expect(page.getByText('10,000 agents')).toBeVisible()

    const { last, rowsMax } = await scrollAgents(page, AGENTS, 4000)
    expect(last).toBe(AGENTS)
    expect(rowsMax).toBeLessThan(60)
    await expect(page.getByRole('link', { name: 'agent-010000' })).toBeVisible()

    await page.getByPlaceholder('Search by id, name or file').fill('agent-004711')
    await expect(page.getByRole('link', { name: 'agent-004711' })).toBeVisible()
    await expect(page.getByText('1 agent', { exact: true })).toBeVisible()
  })
})
