import { createSecret, sha256Hex } from '../crypto.ts'

/** The kinds of token that we issue ourselves, told apart by how they begin: scanners for leaked secrets look for that. */
export const tokenPrefixes = { access: 'mwa_', refresh: 'mwr_', named: 'mwp_' } as const

export type TokenKind = keyof typeof tokenPrefixes

/** Longer than any token that we issue; what is longer is refused unread. */
export const TOKEN_CHARACTERS_MAX = 4096

/** A new token and what is kept of it. */
export async function createToken(kind: TokenKind): Promise<{ token: string; hash: string }> {
  const token = `${tokenPrefixes[kind]}${createSecret()}`
  return { token, hash: await sha256Hex(token) }
}

/** The bearer token of a request's header, or null. Nothing else of a request is ever looked at for one. */
export function readBearer(request: Request): string | null {
  const [, token] = /^Bearer ([\x21-\x7e]+)$/i.exec(request.headers.get('authorization') ?? '') ?? []
  return token === undefined || token.length > TOKEN_CHARACTERS_MAX ? null : token
}

/** Tokens whose digest is remembered: a call's digest costs a tenth of the call, on another thread. */
const REMEMBERED_MAX = 1000

/**
 * SHA-256 of tokens, remembered for those that came lately. It is a pure function of the token, so nothing that is revoked
 * can stay good by it.
 */
export function createTokenHasher(): (token: string) => Promise<string> {
  const known = new Map<string, string>()
  return async (token) => {
    const remembered = known.get(token)
    if (remembered !== undefined) return remembered
    const hash = await sha256Hex(token)
    const [oldest] = known.keys()
    if (known.size >= REMEMBERED_MAX && oldest !== undefined) known.delete(oldest)
    known.set(token, hash)
    return hash
  }
}
