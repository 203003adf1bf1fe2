import { defineConfig } from 'vitest/config'

/** What speaks to a running edge through its endpoint alone, and is about the edge: the same tests in both runtimes. */
const eitherRuntime = [
  'functions/{entry,tenants}.test.ts',
  'functions/oauth/sdk-client.test.ts',
  'test/e2e/{authorization-suite,sign-in}.test.ts',
  'test/conformance/*.test.ts',
  'test/e2e/{cancel,clients,confirmation,event-stream,jobs,mcp-bad-inputs,missed-events,other-origin,short-calls,subscriptions}.test.ts',
]

export default defineConfig({
  test: {
    pool: 'forks',
    // One more than the two cores that are reckoned with: a third of the time tests wait for clocks and processes.
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // The usual second is too short for processes on a busy machine.
    expect: { poll: { timeout: 15_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['{shared,functions,gpu-worker,scripts,web}/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['test/workerd/**', 'node_modules/**'],
          globalSetup: 'test/support/build-page.ts',
          provide: { edgeBundle: '', portsBundle: '', conformanceBundle: '' },
        },
      },
      {
        extends: true,
        test: {
          name: 'workerd',
          include: ['test/workerd/**/*.test.ts', ...eitherRuntime],
          globalSetup: ['test/support/build-page.ts', 'test/support/build-workerd.ts'],
          // A contract's every step is an HTTP request and two calls between objects; on a busy machine they add up.
          testTimeout: 90_000,
        },
      },
    ],
  },
})
