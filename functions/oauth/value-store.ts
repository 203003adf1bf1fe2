import * as v from 'valibot'
import type { Accounts } from '../ports/accounts.ts'
import type { Clock } from '../ports/clock.ts'
import type { OAuthValue } from '../ports/oauth-library.ts'

type Values = Pick<Accounts, 'getValue' | 'putValue' | 'deleteValue' | 'listValues'>

/** What Cloudflare KV gives at most. */
const PAGE_MAX = 1000
const Json = v.pipe(v.string(), v.parseJson())

/**
 * Cloudflare's key-value store as the OAuth library uses it, over our accounts. Unlike the original it is strongly consistent:
 * what was written is read.
 */
export function createValueStore(accounts: Values, clock: Clock): OAuthValue {
  return {
    async get(key, options) {
      const found = await accounts.getValue(key)
      const type = typeof options === 'string' ? options : options?.type
      if (found === null) return null
      return type === 'json' ? v.parse(Json, found.value) : found.value
    },
    async put(key, value, { expiration, expirationTtl, metadata } = {}) {
      const expiresAt =
        expiration !== undefined
          ? expiration * 1000
          : expirationTtl !== undefined
            ? clock.now() + expirationTtl * 1000
            : null
      await accounts.putValue(
        key,
        { value, metadata: metadata === undefined ? null : JSON.stringify(metadata) },
        expiresAt,
      )
    },
    delete: (key) => accounts.deleteValue(key),
    async list({ prefix = '', limit = PAGE_MAX, cursor } = {}) {
      const found = await accounts.listValues(prefix, cursor ?? null, limit)
      const last = found.at(-1)
      const keys = found.map(({ key, metadata, expires_at }) => ({
        name: key,
        ...(expires_at === null ? {} : { expiration: Math.floor(expires_at / 1000) }),
        ...(metadata === null ? {} : { metadata: v.parse(Json, metadata) }),
      }))
      return found.length < limit || last === undefined
        ? { keys, list_complete: true }
        : { keys, list_complete: false, cursor: last.key }
    },
  }
}
