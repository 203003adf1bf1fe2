import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seedAgents } from '#scripts/bench/seed-agents.ts'
import { toWorkspaceId } from '#shared/ids.ts'
import { testSigner } from '#test/support/edge-key.ts'
import { createNatsJobBus } from '../adapters/nats/nats-job-bus.ts'
import { createNatsLink, type NatsLink } from '../adapters/nats/nats-link.ts'
import { openSqlite, type SqliteFile } from '../adapters/node/sqlite.ts'
import { readWebAssets } from '../adapters/node/web-assets.ts'
import { createBearerTokenAuthenticator } from '../auth/bearer-token.ts'
import { openForRepairs } from '../auth/open-workspace.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import { createSqlRegistry } from '../registry/sql-registry.ts'
import type { CallContext } from '../tools/call-context.ts'
import { createToolRunner } from './call-tool.ts'
import { createCompleter } from './completion.ts'
import { createResources } from './resources.ts'

// A large workspace: the real registry with ten thousand agents, and a worker that must not be asked.

const AGENTS = 10_000
/** What the SDK's client follows by itself before it gives up. */
const CLIENT_PAGES_MAX = 64
const workspace = toWorkspaceId('large')
const context: CallContext = {
  caller: { subject: 'owner' },
  requestId: 'r1',
  signal: new AbortController().signal,
  callKey: null,
  onProgress: null,
}

let folder: string
let sqlite: SqliteFile
let link: NatsLink
let ports: EdgePorts
const asked = { registry: 0, worker: 0 }

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-resources-'))
  const database = join(folder, 'registry.sqlite')
  await seedAgents(database, toWorkspaceId('neighbour'), 5)
  await seedAgents(database, workspace, AGENTS)
  sqlite = openSqlite(database)
  const log = { info: () => undefined, error: () => undefined }
  const clock = { now: () => Date.now() }
  const registry = createSqlRegistry(sqlite, clock, log)
  link = createNatsLink(() => Promise.reject(new Error('no server')), log)
  ports = {
    workspace: openForRepairs(workspace),
    version: '1.2.3',
    hostnames: [],
    authenticator: createBearerTokenAuthenticator('mw_test'),
    registry: {
      ...registry,
      listAgents: (...args) => {
        asked.registry++
        return registry.listAgents(...args)
      },
    },
    workers: {
      call: () => {
        asked.worker++
        return Promise.reject(new Error('A worker was asked'))
      },
    },
    bus: createNatsJobBus(link, testSigner),
    clock,
    log,
    process: { memoryBytes: () => 0 },
    assets: readWebAssets(fileURLToPath(new URL('../../web/dist', import.meta.url))),
  }
})
afterAll(async () => {
  await link.close()
  sqlite.close()
  rmSync(folder, { recursive: true })
})

describe('with ten thousand agents', () => {
  it('resources are listed in bounded pages, each with one question to the registry and none to a worker', async () => {
    const resources = createResources(ports, createToolRunner(ports))
    const uris: string[] = []
    let cursor: string | undefined
    let pages = 0
    do {
      const page = await resources.list(cursor, context)
      pages++
      expect(page.resources.length).toBeLessThanOrEqual(403)
      expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(128 * 1024)
      uris.push(...page.resources.map(({ uri }) => uri))
      cursor = page.nextCursor
    } while (cursor !== undefined)
    // Each once: the agents of the neighbour have the same ids, and are another workspace's.
    expect(uris).toHaveLength(3 + 2 * AGENTS)
    expect(new Set(uris).size).toBe(uris.length)
    expect(uris).toContain('millwright://agents/agent-010000/file')
    expect(asked).toEqual({ registry: pages, worker: 0 })
    expect(pages).toBeLessThanOrEqual(CLIENT_PAGES_MAX)
  })

  it('an agent id is completed with the first hundred, and how many there are', async () => {
    const complete = createCompleter(ports, createToolRunner(ports))
    const ref = { type: 'ref/resource', uri: 'millwright://agents/{agent_id}' }
    const { completion } = await complete({ ref, argument: { name: 'agent_id', value: 'Agent-0012' } }, context)
    expect(completion.values).toHaveLength(100)
    expect(completion).toMatchObject({ total: 100, hasMore: false })
    const all = (await complete({ ref, argument: { name: 'agent_id', value: '' } }, context)).completion
    expect(all).toMatchObject({ total: AGENTS, hasMore: true })
    expect(all.values).toHaveLength(100)
    expect(asked.worker).toBe(0)
  })

  it('a cursor that no page returned is refused', async () => {
    const resources = createResources(ports, createToolRunner(ports))
    for (const cursor of ['', 'x', 'MTIz', '../..']) {
      await expect(resources.list(cursor, context)).rejects.toMatchObject({ code: 'invalid_input' })
    }
  })
})
