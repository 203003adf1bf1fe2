import { join } from 'node:path'
import { defineConfig } from '@playwright/test'
import { projectFolder } from '#scripts/setup/paths.mjs'

// The page in a real browser. `npm test` runs these after the other tests; `npm run test:browser -- ...` alone.

export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.ts',
  outputDir: join(projectFolder, 'reports', 'browser'),
  // Two cores: each worker has a whole stack and a browser of its own.
  workers: 2,
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list'], [join(projectFolder, 'scripts', 'browser-summary-reporter.ts')]],
  use: {
    browserName: 'chromium',
    // Tests run with reduced motion, so that a picture is never taken in the middle of a change.
    contextOptions: { reducedMotion: 'reduce' },
    launchOptions: {
      ...(process.env.MILLWRIGHT_CHROMIUM === undefined ? {} : { executablePath: process.env.MILLWRIGHT_CHROMIUM }),
      // As root Chromium has no sandbox; what it shows here is our own page only.
      chromiumSandbox: process.getuid?.() !== 0,
    },
    trace: 'retain-on-failure',
    actionTimeout: 15_000,
  },
})
