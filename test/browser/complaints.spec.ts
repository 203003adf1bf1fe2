import { expect, test } from '@playwright/test'
import { watchContext } from './complaints.ts'

// The watch itself, on pages that do what no page of ours may do. No server is needed: the browser is answered by the test.

const STRICT = "default-src 'none'; script-src 'self'"

test.describe('the watch over a page', () => {
  test.skip(process.env.MILLWRIGHT_CHROMIUM_MISSING !== undefined, process.env.MILLWRIGHT_CHROMIUM_MISSING)

  test('sees errors in the console, scripts that failed, and what the policy has blocked', async ({
    context,
    page,
  }) => {
    const complaints = await watchContext(context)
    await page.route('**/*', async (route) => {
      const path = new URL(route.request().url()).pathname
      if (path === '/script.js') {
        await route.fulfill({
          contentType: 'text/javascript',
          body: `console.error('said aloud'); console.warn('whispered'); setTimeout(() => { throw new Error('thrown') })`,
        })
      } else {
        const body =
          '<!doctype html><link rel="icon" href="data:,"><script>alert(1)</script><script src="/script.js"></script>'
        await route.fulfill({ contentType: 'text/html', headers: { 'content-security-policy': STRICT }, body })
      }
    })
    await page.goto('http://page.example/')
    await expect.poll(() => complaints.unexpected().join('\n')).toContain('thrown')
    expect(complaints.unexpected().join('\n')).toContain('said aloud')
    expect(complaints.unexpected().join('\n')).not.toContain('whispered')
    await expect.poll(() => complaints.policyViolations()).toBeGreaterThan(0)
    complaints.allow(/said aloud/)
    expect(complaints.unexpected().join('\n')).not.toContain('said aloud')
  })
})
