import { chromium, type Page } from '@playwright/test'
import { findBrowser } from '#test/support/browser.ts'
import { type BenchStack, startBenchStack } from '../bench-stack.ts'
import type { Figure } from '../figure.ts'
import { type Row, toRow } from '../row.ts'
import { scrollAgents } from '../scroll-agents.ts'
import { median } from '../statistics.ts'

const AGENTS = 10_000
/** A frame that takes longer is seen as a halt. */
const LONG_FRAME_MS = 50

/** The page in a browser: until it can be used, and its list with 10,000 agents. */
export const measurePage: Figure = async ({ quick, signal, log }) => {
  const executablePath = findBrowser()
  if (executablePath === undefined) {
    log('page: there is no Chromium on the PATH, so nothing of it was measured')
    return []
  }
  const world = await startBenchStack({ agents: AGENTS, signal })
  try {
    const browser = await chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0 })
    try {
      const starts: number[] = []
      for (let round = 0; round < (quick ? 3 : 9); round++) {
        signal.throwIfAborted()
        const context = await browser.newContext()
        starts.push(await timeToSignIn(await context.newPage(), world))
        await context.close()
      }
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
      return [
        toRow({ name: 'page, until the key can be typed, cold, p50', value: median(starts), unit: 'ms' }),
        ...(await measureList(page, world)),
      ]
    } finally {
      await browser.close()
    }
  } finally {
    await world.stop()
  }
}

/** From the start of the navigation until the field of the key is there and enabled; milliseconds. */
async function timeToSignIn(page: Page, world: BenchStack): Promise<number> {
  await page.addInitScript({ content: tellWhenUsable })
  await page.goto(`${world.stack.pageUrl}orchestrator`, { waitUntil: 'commit' })
  await page.locator('#authentication textarea:enabled').waitFor()
  return Number(await page.evaluate('window.usableAt'))
}

/** Runs in the page: the moment itself, and not when the bench has heard of it. */
const tellWhenUsable = `new MutationObserver(() => {
  if (document.querySelector('#authentication textarea:enabled') !== null) window.usableAt ??= performance.now()
}).observe(document, { childList: true, subtree: true, attributes: true })`

async function measureList(page: Page, world: BenchStack): Promise<Row[]> {
  await page.goto(`${world.stack.pageUrl}orchestrator#/agents`)
  await page.getByRole('tab', { name: 'Access token' }).click()
  await page.getByLabel('Access token').and(page.locator('input')).fill(world.stack.token)
  await page.getByRole('button', { name: 'Use this token' }).click()
  await page.locator('.agent-row').first().waitFor()
  const heapBefore = await readHeap(page)
  const { frames, rowsMax } = await scrollAgents(page, AGENTS)
  const heapAfter = await readHeap(page)
  const long = frames.filter((frame) => frame > LONG_FRAME_MS).length
  const list = `page, list of ${AGENTS} agents`
  return [
    toRow({ name: `${list}, most rows drawn at once`, value: rowsMax, unit: 'rows', target: { of: 'value', max: 60 } }),
    toRow({ name: `${list}, frames over ${LONG_FRAME_MS} ms`, value: (100 * long) / frames.length, unit: '%' }),
    toRow({ name: `${list}, frame, p50`, value: median(frames), unit: 'ms' }),
    toRow({ name: `${list}, longest frame`, value: Math.max(...frames), unit: 'ms' }),
    toRow({ name: `${list}, heap before scrolling`, value: heapBefore, unit: 'MiB' }),
    toRow({ name: `${list}, heap at its end`, value: heapAfter, unit: 'MiB' }),
  ]
}

/** What the page's scripts hold after a collection, MiB. */
async function readHeap(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  await session.detach()
  return usedSize / 2 ** 20
}
