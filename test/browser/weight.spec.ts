import { expect, test } from './fixtures.ts'
import { signIn } from './procedures/page-words.ts'

// What comes over the wire until the list of agents is there, as the browser counts it: compressed bodies of all answers.

/** kB of 1,000 bytes. */
const FIRST_VIEW_KB_MAX = 300

test('the first view weighs little, signing in and the MCP client included', async ({
  page,
  world,
  complaints,
}, testInfo) => {
  const finished: Promise<{ url: string; bytes: number }>[] = []
  page.on('requestfinished', (request) => {
    finished.push(request.sizes().then(({ responseBodySize }) => ({ url: request.url(), bytes: responseBodySize })))
  })
  const { stack, repository, privateKey } = world
  await signIn({ page, complaints, stack, repository, privateKey })
  // Whatever other tests have left there.
  await expect(page.getByText(/^\d+ agents?$/)).toBeVisible()
  const files = await Promise.all(finished)
  const of = (part: string) => files.filter(({ url }) => url.includes(part))
  expect(of('/web/assets/').length).toBeGreaterThan(10)
  expect(of('mcp-connection')).toHaveLength(1)
  expect(of('code-view'), 'what only a file needs comes with a file').toEqual([])
  const kilobytes = files.reduce((sum, { bytes }) => sum + bytes, 0) / 1000
  testInfo.annotations.push({ type: 'first view', description: `${kilobytes.toFixed(1)} kB` })
  expect(kilobytes).toBeGreaterThan(50)
  expect(kilobytes).toBeLessThan(FIRST_VIEW_KB_MAX)
})
