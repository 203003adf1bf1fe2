import { expect } from '@playwright/test'
import {
  authenticateButton,
  keyField,
  openOrchestrator,
  protectedPanels,
  SESSION_KEY,
  sessionStatus,
} from './page-words.ts'
import type { Procedure } from './procedure.ts'

/** The user's procedure A. */
export const authentication: Procedure = {
  name: 'Authentication Flow',
  steps: [
    { title: 'Navigate to /orchestrator', run: openOrchestrator },
    {
      title: 'The authentication section is visible, the panels are out of reach',
      async run({ page }) {
        await expect(keyField(page)).toBeVisible()
        await expect(authenticateButton(page)).toBeVisible()
        await expect(sessionStatus(page)).toContainText('Not authenticated')
        await expect(protectedPanels(page)).toHaveAttribute('inert', '')
      },
    },
    {
      title: 'Something that is no key is refused in words',
      async run({ page }) {
        await keyField(page).fill('-----BEGIN PRIVATE KEY-----\nbm8ga2V5\n-----END PRIVATE KEY-----')
        await authenticateButton(page).click()
        await expect(page.getByRole('alert').filter({ hasText: /key/i })).toBeVisible()
        await expect(sessionStatus(page)).toContainText('Not authenticated')
      },
    },
    {
      title: 'Paste the RSA private key',
      async run({ page, privateKey }) {
        await keyField(page).fill(privateKey)
      },
    },
    {
      title: 'Click "Authenticate"',
      async run({ page }) {
        await authenticateButton(page).click()
      },
    },
    {
      title: 'The status indicator turns green',
      async run({ page }) {
        await expect(sessionStatus(page).locator('[data-light]')).toHaveAttribute('data-light', 'good')
      },
    },
    {
      title: 'The status shows "Authenticated"',
      async run({ page }) {
        await expect(sessionStatus(page)).toHaveText('Authenticated')
      },
    },
    {
      title: 'The session id is shown, and the session is kept in localStorage without the key',
      async run({ page, privateKey }) {
        const shown = await page.locator('[data-session-id]').textContent()
        const { origins } = await page.context().storageState()
        const stored = origins.flatMap(({ localStorage }) => localStorage)
        const session = JSON.parse(stored.find(({ name }) => name === SESSION_KEY)?.value ?? '{}')
        expect(session.session_id).toBe(shown)
        expect(String(shown).length).toBeGreaterThan(8)
        const [, secret = ''] = privateKey.trim().split('\n')
        expect(JSON.stringify(stored)).not.toContain(secret)
      },
    },
    {
      title: 'The protected panels are enabled',
      async run({ page }) {
        await expect(protectedPanels(page)).not.toHaveAttribute('inert')
        await expect(keyField(page)).toBeHidden()
      },
    },
    {
      title: 'There are no console errors',
      async run({ complaints }) {
        expect(complaints.unexpected()).toEqual([])
        expect(complaints.policyViolations()).toBe(0)
      },
    },
  ],
}
