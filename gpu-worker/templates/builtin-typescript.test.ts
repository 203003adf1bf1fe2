import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renderOk } from '#test/support/template-world.ts'
import { builtinTemplates } from './builtin.ts'

// What the TypeScript templates make, run as it is: Node strips the types.

const HOSTILE = `it's "x" \\ \` */ \${process.exit(3)} {{ 7 }} // \n\u2028`
const project = resolve('.')
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-templates-'))
  // The packages that the code imports.
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function make(name: string, values: Record<string, unknown>): string {
  const template = builtinTemplates().get(name)
  if (template === undefined) throw new Error(`No template ${name}`)
  const [made] = renderOk(template, values)
  if (made === undefined) throw new Error(`${name} made nothing`)
  writeFileSync(join(folder, made.path), made.text)
  return join(folder, made.path)
}

const load = (path: string): Promise<Record<string, unknown>> => import(/* @vite-ignore */ pathToFileURL(path).href)

/** Checks types as strictly as this project does. */
function typeFaults(...paths: string[]): string {
  const tsc = createRequire(import.meta.url)
    .resolve('typescript/package.json')
    .replace('package.json', 'bin/tsc')
  const flags = ['--noEmit', '--strict', '--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes', '--skipLibCheck']
  const modules = ['--module', 'nodenext', '--target', 'es2024', '--allowImportingTsExtensions', '--types', 'node']
  return spawnSync(process.execPath, [tsc, '--ignoreConfig', ...flags, '--erasableSyntaxOnly', ...modules, ...paths], {
    cwd: folder,
    encoding: 'utf8',
  }).stdout
}

const user = {
  name: 'User',
  description: HOSTILE,
  fields: [
    { name: 'id', kind: 'integer', description: HOSTILE },
    { name: 'full_name' },
    { name: 'balance', kind: 'number', required: false },
    { name: 'tags', kind: 'texts', required: false },
  ],
}
const task = { name: 'task', description: HOSTILE, fields: [{ name: 'title' }, { name: 'is_done', kind: 'flag' }] }
const suite = {
  title: 'reading users',
  module: './user.ts',
  cases: [
    {
      name: HOSTILE.trim(),
      function: 'parseUser',
      arguments: ['{"id":1,"fullName":"a"}'],
      expected: { id: 1, fullName: 'a' },
    },
    {
      name: 'finds what is wrong',
      function: 'faultsOf',
      arguments: [{ id: 'x', extra: HOSTILE }],
      expected: ['extra', 'fullName', 'id'],
    },
    { name: 'refuses null', function: 'isUser', arguments: [null], expected: false },
  ],
  errors: [{ name: 'refuses a list', function: 'parseUser', arguments: ['[]'], message: '(whole)' }],
}
const tool = {
  name: 'find_invoice',
  description: HOSTILE,
  inputs: [
    { name: 'number', kind: 'integer', description: HOSTILE },
    { name: 'customer', required: false },
  ],
}

describe('what the TypeScript templates make', () => {
  it('has the types that it says', () => {
    const paths = [
      make('typescript-module', user),
      make('hono-route', task),
      make('vitest-suite', suite),
      make('mcp-tool', tool),
    ]
    expect(typeFaults(...paths)).toBe('')
  })

  it('typescript-module reads and recognises its type', async () => {
    const { parseUser, isUser, faultsOf } = (await load(make('typescript-module', user))) as Record<
      string,
      (value: unknown) => unknown
    >
    expect(parseUser?.('{"id":1,"fullName":"a","tags":["b"]}')).toEqual({ id: 1, fullName: 'a', tags: ['b'] })
    expect(isUser?.({ id: 1.5, fullName: 'a' })).toBe(false)
    expect(faultsOf?.(JSON.parse('{"id":1,"__proto__":1,"tags":[1]}'))).toEqual(['__proto__', 'fullName', 'tags'])
    expect(() => parseUser?.('{"id":1}')).toThrow('fullName')
  })

  it('vitest-suite passes on the generated module, and fails on another', () => {
    make('typescript-module', user)
    const vitest = createRequire(import.meta.url)
      .resolve('vitest/package.json')
      .replace('package.json', 'vitest.mjs')
    const report = join(folder, 'report.json')
    const run = (path: string): unknown => {
      const options = ['--root', folder, '--reporter', 'json', '--outputFile', report]
      spawnSync(process.execPath, [vitest, 'run', ...options, path], { cwd: folder })
      return JSON.parse(readFileSync(report, 'utf8'))
    }
    expect(run(make('vitest-suite', suite))).toMatchObject({ numPassedTests: 4, numFailedTests: 0 })
    const wrong = {
      ...suite,
      cases: [{ name: 'x', function: 'isUser', arguments: [null], expected: true }],
      errors: [],
    }
    expect(run(make('vitest-suite', wrong))).toMatchObject({ numPassedTests: 0, numFailedTests: 1 })
  })

  it('hono-route answers requests', async () => {
    const { createTaskRoute } = (await load(make('hono-route', task))) as { createTaskRoute: () => Hono }
    const route = createTaskRoute()
    const ask = async (method: string, path: string, body?: unknown) => {
      const response = await route.request(
        path,
        body === undefined ? { method } : { method, body: JSON.stringify(body) },
      )
      const text = await response.text()
      return { status: response.status, body: text === '' ? null : (JSON.parse(text) as Record<string, unknown>) }
    }
    const created = await ask('POST', '/', { title: 'a', isDone: false })
    expect(created).toEqual({ status: 201, body: { id: expect.any(String), title: 'a', isDone: false } })
    const path = `/${created.body?.id}`
    expect(await ask('GET', '/')).toEqual({ status: 200, body: [created.body] })
    expect(await ask('PUT', path, { title: 'b', isDone: true })).toMatchObject({ status: 200, body: { title: 'b' } })
    expect(await ask('GET', path)).toMatchObject({ status: 200, body: { isDone: true } })
    expect(await ask('POST', '/', { title: 1, id: 'x' })).toEqual({
      status: 400,
      body: { error: 'Missing, unknown or of another kind: id, isDone, title' },
    })
    expect(await ask('DELETE', path)).toEqual({ status: 204, body: null })
    for (const [method, values] of [
      ['GET', undefined],
      ['DELETE', undefined],
      ['PUT', { title: 'b', isDone: true }],
    ] as const)
      expect((await ask(method, path, values)).status).toBe(404)
    expect((await ask('POST', '/', [])).status).toBe(400)
  })

  it('mcp-tool answers tools/list and tools/call of the official client', async () => {
    const client = new Client({ name: 'millwright-test', version: '1.0.0' })
    const path = make('mcp-tool', tool)
    await client.connect(new StdioClientTransport({ command: process.execPath, args: [path], cwd: folder }))
    try {
      const { tools } = await client.listTools()
      expect(tools).toMatchObject([
        {
          name: 'find_invoice',
          description: HOSTILE,
          inputSchema: { properties: { number: { type: 'integer', description: HOSTILE } }, required: ['number'] },
        },
      ])
      const answer = await client.callTool({ name: 'find_invoice', arguments: { number: 7, customer: HOSTILE } })
      expect(answer.content).toEqual([{ type: 'text', text: `number: 7\ncustomer: ${HOSTILE}` }])
      expect((await client.callTool({ name: 'find_invoice', arguments: { number: 'x' } })).isError).toBe(true)
    } finally {
      await client.close()
    }
  })
})
