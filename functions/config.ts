import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { WorkspaceId } from '#shared/ids.ts'
import { PageOrigins } from './http/page-origins.ts'
import { PublicUrl } from './public-url.ts'

/** Only names of this machine: whoever serves others needs full authentication first. */
const loopbackHosts = ['127.0.0.1', '::1', 'localhost']

/** By TCP, and over a WebSocket. */
const natsPorts: Record<string, string> = { 'nats:': '4222', 'tls:': '4222', 'ws:': '80', 'wss:': '443' }

const NatsUrl = v.pipe(
  v.string(),
  v.check((text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    return url !== undefined && url.protocol in natsPorts && url.hostname !== ''
  }, 'must be nats://user:password@host:port (or tls, ws, wss)'),
  v.transform((text) => {
    const url = new URL(text)
    return {
      /** `host:port`, without the credentials. */
      server: `${url.protocol}//${url.hostname}:${url.port === '' ? natsPorts[url.protocol] : url.port}${url.pathname.replace(/\/$/, '')}`,
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
    }
  }),
)

const Environment = v.object({
  NATS_URL: NatsUrl,
  NATS_CA: v.optional(v.pipe(v.string(), v.minLength(1, 'must name a file'))),
  MILLWRIGHT_DATA: v.pipe(v.string(), v.minLength(1, 'must name a folder')),
  MILLWRIGHT_WORKSPACE: WorkspaceId,
  MILLWRIGHT_PORT: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,5}$/, 'must be a port number'),
      v.transform(Number),
      v.maxValue(65_535, 'must be a port number'),
    ),
    '8000',
  ),
  MILLWRIGHT_HOST: v.optional(
    v.picklist(
      loopbackHosts,
      `must be one of ${loopbackHosts.join(', ')}: others come through a proxy on this machine (docs/operations.md)`,
    ),
    '127.0.0.1',
  ),
  MILLWRIGHT_PUBLIC_URL: v.optional(PublicUrl),
  MILLWRIGHT_PAGE_ORIGINS: v.optional(PageOrigins, ''),
  MILLWRIGHT_BEHIND_PROXY: v.optional(v.picklist(['0', '1'], 'must be 0 or 1'), '0'),
})

export interface Config {
  readonly nats: {
    readonly server: string
    readonly user: string
    readonly password: string
    readonly authorityFile?: string
  }
  /** Folder of registry.sqlite and the token. */
  readonly dataFolder: string
  readonly workspace: WorkspaceId
  /** 0 takes any free port. */
  readonly port: number
  readonly host: string
  /** Where others reach it, such as `https://mill.example`; null where only this machine does. */
  readonly publicOrigin: string | null
  /** Whose pages may call from a browser, beside our own. */
  readonly pageOrigins: readonly string[]
  /** A proxy on this machine adds the client's address to `X-Forwarded-For`. */
  readonly behindProxy: boolean
}

/** Throws `invalid_input` naming each variable that is missing or wrong; never repeats a value, which may hold a password. */
export function parseConfig(environment: Record<string, string | undefined>): Config {
  const parsed = v.safeParse(Environment, environment)
  if (!parsed.success) {
    const lines = parsed.issues.map((issue) => {
      const name = v.getDotPath(issue) ?? 'environment'
      return environment[name] === undefined ? `${name} is missing` : `${name} ${issue.message}`
    })
    throw new AppError('invalid_input', `Cannot start: ${lines.join('; ')}`)
  }
  const { NATS_URL, NATS_CA, MILLWRIGHT_DATA, MILLWRIGHT_WORKSPACE, MILLWRIGHT_PORT, MILLWRIGHT_HOST } = parsed.output
  const { MILLWRIGHT_PUBLIC_URL, MILLWRIGHT_PAGE_ORIGINS, MILLWRIGHT_BEHIND_PROXY } = parsed.output
  return {
    nats: { ...NATS_URL, ...(NATS_CA === undefined ? {} : { authorityFile: NATS_CA }) },
    dataFolder: MILLWRIGHT_DATA,
    workspace: MILLWRIGHT_WORKSPACE,
    port: MILLWRIGHT_PORT,
    host: MILLWRIGHT_HOST,
    publicOrigin: MILLWRIGHT_PUBLIC_URL ?? null,
    pageOrigins: MILLWRIGHT_PAGE_ORIGINS,
    behindProxy: MILLWRIGHT_BEHIND_PROXY === '1',
  }
}
