import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installInspector } from '#scripts/clients/inspector-install.ts'
import { catalogue } from '#shared/tools/catalogue.ts'
import { bridgeProgram } from '#test/support/bridge-program.ts'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'

// The command line of MCP Inspector, a client that is not ours, by HTTP and by the bridge. It is brought when this test first runs.

const run = promisify(execFile)
const ways = ['http', 'bridge'] as const
const Answer = v.pipe(v.string(), v.parseJson(), v.record(v.string(), v.unknown()))

describe("MCP Inspector's command line", { timeout: 60_000 }, () => {
  let inspector: string | undefined
  let problem = ''
  let world: TestStack
  let home: string
  beforeAll(async () => {
    inspector = await installInspector().catch((error: unknown) => {
      problem = String(error)
      return undefined
    })
    // It keeps notes of its own in the home folder.
    home = mkdtempSync(join(tmpdir(), 'millwright-inspector-'))
    world = await startTestStack({ files: { 'notes.md': '# Notes\n' } })
  }, 240_000)
  afterAll(async () => {
    await world?.stop()
    rmSync(home, { recursive: true, force: true })
  })

  async function ask(way: (typeof ways)[number], ...args: string[]): Promise<Record<string, unknown>> {
    const { url, token } = world.stack()
    const {
      command,
      args: [program = ''],
    } = bridgeProgram(url, {})
    const target =
      way === 'http'
        ? [url, '--transport', 'http', '--header', `Authorization: Bearer ${token}`]
        : ['-e', `MILLWRIGHT_TOKEN=${token}`, '-e', `MILLWRIGHT_URL=${url}`, command, program]
    const { stdout } = await run(process.execPath, [inspector ?? '', '--cli', ...target, ...args], {
      env: { ...process.env, HOME: home },
      maxBuffer: 8 * 1024 * 1024,
    })
    return v.parse(Answer, stdout)
  }

  it.for(ways)('lists tools and resources and calls a tool, by %s', async (way, { skip }) => {
    skip(inspector === undefined, `MCP Inspector is not here and the registry did not give it: ${problem}`)
    const { tools } = await ask(way, '--method', 'tools/list')
    expect((tools as { name: string }[]).map(({ name }) => name)).toEqual(catalogue.map(({ name }) => name))
    const { resources } = await ask(way, '--method', 'resources/list')
    expect((resources as { uri: string }[]).map(({ uri }) => uri)).toContain('millwright://rules')
    const read = await ask(way, '--method', 'tools/call', '--tool-name', 'read_file', '--tool-arg', 'path=notes.md')
    expect(read).toMatchObject({ structuredContent: { success: true, content: '# Notes\n' } })
  })
})
