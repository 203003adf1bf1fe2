import type { BrowserContext } from '@playwright/test'

/** What the pages of a browser context complained of. */
export interface PageComplaints {
  /** Lines like these are what the test provokes: an answer 401 that the browser writes to its console, for one. */
  allow(pattern: RegExp): void
  /** Errors in the console, scripts that failed, and what the page's own policy has blocked, but for the allowed. */
  unexpected(): string[]
  /** How often the pages' Content Security Policy has blocked anything, allowed or not. */
  policyViolations(): number
}

const VIOLATION = 'Content Security Policy violation:'

/** Runs in the page: the browser's own message to the console comes for some violations only. */
const tellViolations = `document.addEventListener('securitypolicyviolation', (event) => {
  console.error('${VIOLATION} ' + event.effectiveDirective + ' has blocked ' + event.blockedURI)
})`

/** Watches every page that the context has and will have. */
export async function watchContext(context: BrowserContext): Promise<PageComplaints> {
  const lines: string[] = []
  const allowed: RegExp[] = []
  context.on('console', (message) => {
    // A browser says where a resource could not be loaded only as the place of the message.
    if (message.type() === 'error') lines.push(`${message.text()} (${message.location().url})`)
  })
  context.on('weberror', (error) => lines.push(`${error.error().stack ?? error.error().message}`))
  await context.addInitScript({ content: tellViolations })
  return {
    allow: (pattern) => void allowed.push(pattern),
    unexpected: () => lines.filter((line) => !allowed.some((pattern) => pattern.test(line))),
    policyViolations: () => lines.filter((line) => line.startsWith(VIOLATION)).length,
  }
}
