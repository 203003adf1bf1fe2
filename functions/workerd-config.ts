import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { WorkspaceId } from '#shared/ids.ts'
import { PageOrigins } from './http/page-origins.ts'
import { PublicUrl } from './public-url.ts'

/** As long as the one that Millwright makes: 256 bits and more cannot be guessed. */
const TOKEN_CHARACTERS_MIN = 43

const NatsUrl = v.pipe(
  v.string(),
  v.check((text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    return url !== undefined && ['ws:', 'wss:'].includes(url.protocol) && url.hostname !== ''
  }, 'must be wss://user:password@host:port'),
  v.transform((text) => {
    const url = new URL(text)
    return {
      server: `${url.protocol}//${url.host}${url.pathname === '/' ? '' : url.pathname}`,
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
    }
  }),
)

/** What is set in `wrangler.toml`, and (NATS_URL, MILLWRIGHT_TOKEN, MILLWRIGHT_SIGNING_KEY) as secrets. */
export interface EdgeEnvironment {
  readonly NATS_URL?: string
  readonly MILLWRIGHT_TOKEN?: string
  readonly MILLWRIGHT_SIGNING_KEY?: string
  readonly MILLWRIGHT_WORKSPACE?: string
  readonly MILLWRIGHT_HOSTNAMES?: string
  readonly MILLWRIGHT_PAGE_ORIGINS?: string
  /** Empty is as if left out. */
  readonly MILLWRIGHT_PUBLIC_URL?: string
}

const Environment = v.object({
  NATS_URL: NatsUrl,
  MILLWRIGHT_TOKEN: v.pipe(
    v.string(),
    v.regex(/^[\x21-\x7e]+$/, 'must hold no spaces'),
    v.minLength(TOKEN_CHARACTERS_MIN, `must have at least ${TOKEN_CHARACTERS_MIN} characters`),
  ),
  MILLWRIGHT_SIGNING_KEY: v.pipe(
    v.string(),
    v.regex(/^[A-Za-z0-9_-]{43}(?:,[A-Za-z0-9_-]{43})?$/, 'must be what "npm run keys -- edge-key --make" prints'),
    v.transform((text): readonly [string, ...string[]] => {
      const [first = '', ...more] = text.split(',')
      return [first, ...more]
    }),
  ),
  MILLWRIGHT_WORKSPACE: WorkspaceId,
  MILLWRIGHT_HOSTNAMES: v.pipe(
    v.string(),
    v.transform((text) => text.split(',').map((name) => name.trim())),
    v.check(
      (names) => names.every((name) => /^(?:[a-z0-9.-]+|\[[0-9a-f:]+\])$/.test(name)),
      'must be names divided by commas, without ports',
    ),
  ),
  MILLWRIGHT_PAGE_ORIGINS: v.optional(PageOrigins, ''),
  MILLWRIGHT_PUBLIC_URL: v.optional(PublicUrl),
})

export interface WorkerdConfig {
  readonly nats: { readonly server: string; readonly user: string; readonly password: string }
  readonly token: string
  /** The edge's private keys: workers know it by the first; one more is the next or the last. */
  readonly signingKeys: readonly [string, ...string[]]
  readonly workspace: WorkspaceId
  /** Under which the edge may be reached: no ports; IPv6 in brackets. */
  readonly hostnames: readonly string[]
  /** Whose pages may call from a browser, beside our own. */
  readonly pageOrigins: readonly string[]
  /** Where others reach it, such as `https://mill.example`; null where only this machine does. */
  readonly publicOrigin: string | null
}

/** Throws `invalid_input` naming each variable that is missing or wrong; never repeats a value, which may be a secret. */
export function parseWorkerdConfig(environment: EdgeEnvironment): WorkerdConfig {
  const { MILLWRIGHT_PUBLIC_URL: publicUrl, ...others } = environment
  const parsed = v.safeParse(Environment, publicUrl === '' ? others : environment)
  if (!parsed.success) {
    const present = new Set(Object.keys(environment))
    const lines = parsed.issues.map((issue) => {
      const name = v.getDotPath(issue) ?? 'environment'
      return present.has(name) ? `${name} ${issue.message}` : `${name} is missing`
    })
    throw new AppError('invalid_input', `Cannot start: ${lines.join('; ')}`)
  }
  const { NATS_URL, MILLWRIGHT_TOKEN, MILLWRIGHT_SIGNING_KEY, MILLWRIGHT_WORKSPACE, MILLWRIGHT_HOSTNAMES } =
    parsed.output
  const { MILLWRIGHT_PAGE_ORIGINS } = parsed.output
  const publicOrigin = parsed.output.MILLWRIGHT_PUBLIC_URL ?? null
  return {
    nats: NATS_URL,
    token: MILLWRIGHT_TOKEN,
    signingKeys: MILLWRIGHT_SIGNING_KEY,
    workspace: MILLWRIGHT_WORKSPACE,
    hostnames: [...MILLWRIGHT_HOSTNAMES, ...(publicOrigin === null ? [] : [new URL(publicOrigin).hostname])],
    publicOrigin,
    pageOrigins: MILLWRIGHT_PAGE_ORIGINS,
  }
}
