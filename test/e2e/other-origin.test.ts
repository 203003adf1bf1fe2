import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EdgeServer } from '#functions/entry.node.ts'
import { toWorkspaceId } from '#shared/ids.ts'
import { catalogue } from '#shared/tools/catalogue.ts'
import { findBrowser, openPage, type Page } from '#test/support/browser.ts'
import { startEdgeServer } from '#test/support/edge-server.ts'
import { type ForeignPageServer, serveForeignPage } from '#test/support/foreign-page-server.ts'

// A page of another origin in a real browser, with the SDK's client in it. NATS is away: what the registry answers is enough.

const browser = findBrowser()

describe.skipIf(browser === undefined)('a page of another origin (skipped where there is no Chromium)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-origin-'))
  let site: ForeignPageServer
  let page: Page
  let open: EdgeServer
  let closed: EdgeServer

  const start = (name: string, pageOrigins: string) =>
    startEdgeServer({
      workspace: toWorkspaceId(name),
      folder: join(folder, name),
      natsUrl: 'nats://127.0.0.1:1',
      natsWebSocketUrl: 'ws://127.0.0.1:1',
      pageOrigins,
    })

  beforeAll(async () => {
    site = await serveForeignPage()
    open = await start('open', site.origin)
    closed = await start('closed', 'https://app.example')
    page = await openPage(browser ?? '', { width: 800, height: 600 })
    await page.goTo(site.origin)
    await page.until(`typeof visit === 'function'`)
  })
  afterAll(async () => {
    await page?.close()
    await Promise.all([open?.close(), closed?.close(), site?.stop()])
    rmSync(folder, { recursive: true, force: true })
  })

  const visit = ({ url, token }: EdgeServer, mode: string | object, given = token) =>
    page.evaluate(`visit(${JSON.stringify(`${url}/mcp`)}, ${JSON.stringify(given)}, ${JSON.stringify(mode)})`)

  it.each([
    ['2026-07-28', { pin: '2026-07-28' }],
    ['2025-11-25', 'legacy'],
  ] as const)('that is named signs in with a token and calls a tool (%s)', async (revision, mode) => {
    expect(await visit(open, mode)).toEqual({
      revision,
      tools: catalogue.length,
      answer: { success: true, agents: [], next_cursor: null, total: 0 },
    })
  })

  it('that is named is told what is wrong with its token', async () => {
    await expect(visit(open, 'legacy', 'mw_wrong')).rejects.toThrow(/unauthenticated|401|token/i)
    expect(await page.evaluate(`challenge(${JSON.stringify(`${open.url}/mcp`)})`)).toMatch(/^Bearer realm="millwright"/)
  })

  it.each([{ pin: '2026-07-28' }, 'legacy'])(
    'that is not named gets nothing, though its token is good (%j)',
    async (mode) => {
      const before = page.reports.length
      await expect(visit(closed, mode)).rejects.toThrow(/Failed to fetch|did not offer/)
      expect(page.reports.slice(before).join('\n')).toContain('CORS')
    },
  )
})
