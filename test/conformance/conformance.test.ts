import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'
import { type ConformanceServer, signInTo, startConformanceServer } from './server.ts'
import { isTaskScenario, requiredScenarios, revisions, runRequirements, runScenario } from './suite.ts'

// The protocol's official tests, in both runtimes. Their fixtures go through the route, transport, guards and runtime of the product.

/** Those that need no fixture: what they ask is asked of the product as it is. */
const withoutFixtures = {
  '2026-07-28': [
    'tools-list',
    'server-sse-multiple-streams',
    'sep-2164-resource-not-found',
    'resources-list',
    'prompts-list',
    'caching',
    'dns-rebinding-protection',
    'input-required-result-unsupported-methods',
  ],
  '2025-11-25': [
    'server-initialize',
    'ping',
    'tools-list',
    'server-sse-multiple-streams',
    'resources-list',
    'prompts-list',
    'dns-rebinding-protection',
    'server-session-lifecycle',
  ],
} as const

let fixtures: ConformanceServer
let stack: TestStack
let product: ConformanceServer
beforeAll(async () => {
  fixtures = await startConformanceServer(inject('conformanceBundle') || null)
  stack = await startTestStack()
  product = await signInTo(stack.stack().url, stack.stack().token)
})
afterAll(async () => {
  await fixtures?.close()
  await product?.close()
  await stack?.stop()
})

describe.each(revisions)('the official tests of %s', (revision) => {
  it('pass, each that the revision requires', async () => {
    const results = await runRequirements(fixtures.url, revision)
    const required = results.filter((result) => result.required)
    expect(required.map(({ scenario }) => scenario).toSorted()).toEqual(requiredScenarios(revision).toSorted())
    expect(required.filter(({ failed, passed }) => failed.length > 0 || passed === 0)).toEqual([])
    // Not required of anybody, since it is an extension; of us it is.
    const tasks = results.filter(isTaskScenario)
    expect(tasks).toHaveLength(revision === '2026-07-28' ? 10 : 0)
    expect(tasks.filter(({ failed }) => failed.length > 0)).toEqual([])
  }, 240_000)

  it.each(withoutFixtures[revision])(
    'pass with the real catalogue: %s',
    async (scenario) => {
      const result = await runScenario(product.url, revision, scenario)
      expect(result).toMatchObject({ failed: [], passed: expect.any(Number) })
      expect(result.passed).toBeGreaterThan(0)
    },
    60_000,
  )
})
