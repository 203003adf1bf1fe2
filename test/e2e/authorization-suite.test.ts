import { spawn } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { claimPort } from '#scripts/free-port.ts'
import { projectFolder } from '#scripts/setup/paths.mjs'
import { allow, type Post } from '../support/authorize-page.ts'
import { edgeRuntime } from '../support/edge-runtime.ts'
import { type KeyedEdge, startKeyedEdge } from '../support/keyed-edge.ts'

// The protocol's official scenarios for authorization servers. They show a person an address; this file is the person.

const suite = join(projectFolder, 'node_modules', '@modelcontextprotocol', 'conformance', 'dist', 'index.js')
let world: KeyedEdge
beforeAll(async () => {
  world = await startKeyedEdge()
})
afterAll(() => world?.stop())

it('the official scenarios for authorization servers pass', async () => {
  const { edge, folder } = world
  const post: Post = (step, body) =>
    fetch(`${edge.url}/oauth/authorize/${step}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const port = await claimPort(0)
  const registered = await fetch(`${edge.url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Suite',
      redirect_uris: [`http://127.0.0.1:${port}/callback`],
      token_endpoint_auth_method: 'none',
    }),
  })
  const { client_id } = JSON.parse(await registered.text())
  const where = ['--url', edge.url, '--client-id', client_id, '--resource', `${edge.url}/mcp`, '--port', String(port)]
  const child = spawn(process.execPath, [suite, 'authorization', ...where], { cwd: folder })
  const ended = once(child, 'exit')
  const key = createPrivateKey(readFileSync(join(folder, 'anna.pem')))
  let output = ''
  let visited = false
  const visit = async (url: string) => {
    const back = await allow(post, new URL(url).search.slice(1), key)
    await fetch(back)
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const [url] = /^http:\S+\/oauth\/authorize\?\S+(?=\s)/m.exec(output) ?? []
      // The suite listens for the answer once it has said so.
      if (visited || url === undefined || !output.includes('Callback server started')) return
      visited = true
      visit(url).catch((error: unknown) => {
        output += String(error)
        child.kill()
      })
    })
  }
  await ended
  // One scenario is about clients' metadata documents, which the edge in workerd fetches only where it has a public address.
  const scenarios = edgeRuntime() === 'node' ? 3 : 2
  expect(output).toContain(`Total: ${scenarios} passed, 0 failed`)
  expect(child.exitCode).toBe(0)
}, 120_000)
