import * as module from 'node:module'
import type { OAuthLibrary } from '../../ports/oauth-library.ts'
import { createPublicFetch } from './public-fetch.ts'

/** Where the library, changed as below, finds what it fetches with. A module of its own cannot be handed in. */
const FETCH = Symbol.for('millwright.oauth.fetch')
const LIBRARY = '@cloudflare/workers-oauth-provider/dist/oauth-provider.js'

/**
 * The library imports a module that only Cloudflare's runtime has, of which it needs no more here than that it is there. And
 * it fetches clients' metadata documents only where it is sure that the runtime reaches public addresses alone: here that
 * is `fetch` of our own, put in front of its text, for it and for nothing else in the process.
 */
const preamble = `
const Cloudflare = { compatibilityFlags: { global_fetch_strictly_public: true } };
const fetch = (...request) => globalThis[Symbol.for('millwright.oauth.fetch')](...request);
`

let hooked = false

/**
 * Loads the OAuth library on Node. Null where this Node is too old to load it (before 22.15): then there is no OAuth, and
 * all other ways to sign in are as they were. `fetchMetadata` is what clients' documents are fetched with.
 */
export async function loadOAuthLibrary(
  fetchMetadata: (url: string | URL, init?: RequestInit) => Promise<Response> = createPublicFetch(),
): Promise<OAuthLibrary | null> {
  if (!('registerHooks' in module)) return null
  Object.defineProperty(globalThis, FETCH, { value: fetchMetadata, configurable: true })
  if (!hooked) {
    hooked = true
    module.registerHooks({
      resolve: (specifier, context, next) =>
        specifier === 'cloudflare:workers'
          ? { url: 'data:text/javascript,export class WorkerEntrypoint {}', shortCircuit: true }
          : next(specifier, context),
      load(url, context, next) {
        const loaded = next(url, context)
        return url.endsWith(LIBRARY) ? { ...loaded, source: preamble + toText(loaded.source) } : loaded
      },
    })
  }
  return (await import('@cloudflare/workers-oauth-provider')) as unknown as OAuthLibrary
}

const toText = (source: unknown): string =>
  typeof source === 'string' ? source : new TextDecoder().decode(source as Uint8Array)
