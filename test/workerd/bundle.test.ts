import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { Miniflare } from 'miniflare'
import { describe, expect, inject, it } from 'vitest'
import { unstable_readConfig } from 'wrangler'
import { projectFolder } from '#scripts/setup/paths.mjs'
import { readWorkerdBundle } from '#scripts/workerd-bundle.ts'
import { wranglerConfig } from '#scripts/wrangler.ts'
import { silenceWorkerd } from '#test/support/silence-workerd.ts'

// What is uploaded: how large it is, what it needs, and what must not be in it.

const BUNDLE_BYTES_MAX = 3_000_000
const bundle = readWorkerdBundle(inject('edgeBundle'))

describe('the program for workerd', () => {
  it('has less than 3 MB, before anything is minified', () => {
    expect(statSync(bundle.scriptPath).size).toBeLessThan(BUNDLE_BYTES_MAX)
  })

  it('imports nothing of Node, and runs where there is nothing of Node', async () => {
    expect(bundle.compatibilityFlags?.filter((flag: string) => flag.startsWith('nodejs'))).toEqual([])
    const text = readFileSync(bundle.scriptPath, 'utf8')
    const imported = [...text.matchAll(/^\s*import\b[^'"\n]*['"]([^'"\n]+)['"]/gm)].map((match) => match[1])
    expect(new Set(imported)).toEqual(new Set(['cloudflare:workers']))
    expect(text).not.toMatch(/\b(?:import|require)\(\s*['"](?:node:|fs['"]|path['"]|crypto['"]|events['"])/)

    // That the suites of this project run it proves little unless Node's modules are really missing there.
    const { compatibilityDate, compatibilityFlags } = bundle
    const bare = new Miniflare({
      modules: [
        {
          type: 'ESModule',
          path: 'bare.mjs',
          contents: `export default { async fetch() {
        const found = []
        for (const name of ['node:fs', 'node:crypto', 'node:events', 'node:buffer']) {
          await import(name).then(() => found.push(name), () => undefined)
        }
        return Response.json({ found, process: typeof process, Buffer: typeof Buffer })
      } }`,
        },
      ],
      ...(compatibilityDate === undefined ? {} : { compatibilityDate }),
      ...(compatibilityFlags === undefined ? {} : { compatibilityFlags }),
      cf: false,
    })
    try {
      const response = await fetch(await bare.ready)
      expect(await response.json()).toEqual({ found: [], process: 'undefined', Buffer: 'undefined' })
    } finally {
      await bare.dispose()
    }
  })

  it('answers 503 while it is not configured, and names what is missing to the operator alone', async () => {
    let logged = ''
    const miniflare = new Miniflare({
      ...bundle,
      bindings: { ...bundle.bindings, NATS_URL: 'wss://edge:secret-password@nats.example.com' },
      cf: false,
      handleRuntimeStdio(out: Readable, errors: Readable) {
        out.resume()
        errors.on('data', (chunk) => {
          logged += String(chunk)
        })
      },
    })
    try {
      const response = await fetch(new URL('/healthz', await miniflare.ready))
      expect(response.status).toBe(503)
      expect(await response.text()).not.toContain('MILLWRIGHT')
      await expect.poll(() => logged).toContain('MILLWRIGHT_TOKEN is missing')
      expect(logged).not.toContain('secret-password')
    } finally {
      await miniflare.dispose()
    }
  })

  it('answers to the names that it was given, and to no other', async () => {
    const miniflare = new Miniflare({
      ...bundle,
      bindings: {
        ...bundle.bindings,
        NATS_URL: 'ws://edge:x@127.0.0.1:9',
        MILLWRIGHT_TOKEN: 'x'.repeat(43),
        MILLWRIGHT_SIGNING_KEY: 'A'.repeat(43),
        MILLWRIGHT_HOSTNAMES: 'mill.example.com',
      },
      cf: false,
      handleRuntimeStdio: silenceWorkerd,
    })
    try {
      const url = new URL('/healthz', await miniflare.ready)
      const statusFor = async (host: string) => {
        const [response] = (await once(get(url, { headers: { host } }), 'response')) as [IncomingMessage]
        response.resume()
        return response.statusCode
      }
      expect(await statusFor('mill.example.com')).toBe(200)
      for (const host of [url.host, 'evil.example.com', 'localhost']) expect(await statusFor(host)).toBe(403)
    } finally {
      await miniflare.dispose()
    }
  })
})

describe('npm run deploy', () => {
  it('builds and shows what it would upload, without account or network, with --dry-run', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millwright-deploy-'))
    try {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [join(projectFolder, 'scripts', 'deploy.ts'), '--dry-run', '--outdir', folder],
        // Whoever is asked for anything cannot be reached.
        { env: { PATH: process.env.PATH, HOME: folder, HTTPS_PROXY: 'http://127.0.0.1:9' }, cwd: tmpdir() },
      )
      for (const name of ['REGISTRY', 'LINK', 'ACCOUNTS', 'ASSETS', 'MILLWRIGHT_WORKSPACE', 'MILLWRIGHT_HOSTNAMES']) {
        expect(stdout).toContain(`env.${name}`)
      }
      expect(stdout).toContain('--dry-run: exiting now')
      expect(statSync(join(folder, 'entry.workerd.js')).size).toBeLessThan(statSync(bundle.scriptPath).size)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('takes no secret from wrangler.toml', () => {
    const { vars } = unstable_readConfig({ config: wranglerConfig })
    expect(Object.keys(vars).toSorted()).toEqual([
      'MILLWRIGHT_HOSTNAMES',
      'MILLWRIGHT_PAGE_ORIGINS',
      'MILLWRIGHT_WORKSPACE',
    ])
    expect(readFileSync(wranglerConfig, 'utf8')).not.toMatch(
      /^\s*(?:NATS_URL|MILLWRIGHT_TOKEN|MILLWRIGHT_SIGNING_KEY)\s*=/m,
    )
  })
})
