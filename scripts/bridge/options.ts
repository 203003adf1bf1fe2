import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { Scope } from '#shared/access.ts'
import { WorkspaceId } from '#shared/ids.ts'

export const bridgeUsage = `Usage: millwright-mcp [--url URL] [--token-file FILE | --key FILE [--scope SCOPES] [--workspace W]]

Speaks MCP on standard input and output, for clients that speak only that, and passes everything on to a Millwright endpoint.

  --url URL          the endpoint; http://127.0.0.1:8000/mcp where left out. https:, or http: on this machine
  --token-file FILE  a file that holds an access token: the owner's (edge/token in the data folder), or one of npm run keys token
  --key FILE         a private key (PEM) whose public half is registered: the bridge signs in with it by itself
  --scope SCOPES     with --key: read, write, admin, divided by commas; what the endpoint asks for where left out
  --workspace W      with --key: where its owner has several
  --help             this text

Environment: MILLWRIGHT_URL, MILLWRIGHT_TOKEN (the token itself), MILLWRIGHT_TOKEN_FILE, MILLWRIGHT_KEY. Options win. There is no
option for the token itself, since everyone on a machine can read the arguments of a program.`

/** How the bridge shows who it is. */
export type Credential =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'token-file'; readonly file: string }
  | {
      readonly kind: 'key'
      readonly file: string
      readonly scopes: readonly Scope[]
      readonly workspace: WorkspaceId | undefined
    }

export interface BridgeOptions {
  readonly help: boolean
  readonly url: URL
  /** Null only with `help`. */
  readonly credential: Credential | null
}

const DEFAULT_URL = 'http://127.0.0.1:8000/mcp'

/** Reads the command line and the environment. Throws an Error that names what is wrong, and never a token. */
export function parseBridgeOptions(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): BridgeOptions {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...argv],
    strict: true,
    options: {
      url: text,
      'token-file': text,
      key: text,
      scope: text,
      workspace: text,
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return { help: true, url: new URL(DEFAULT_URL), credential: null }
  const url = parseUrl(values.url ?? (environment.MILLWRIGHT_URL || DEFAULT_URL))
  const told = [values['token-file'], values.key].filter((value) => value !== undefined)
  if (told.length > 1) throw new Error('--token-file and --key exclude each other')
  const tokenFile = told.length === 0 ? environment.MILLWRIGHT_TOKEN_FILE || undefined : values['token-file']
  const keyFile = told.length === 0 ? environment.MILLWRIGHT_KEY || undefined : values.key
  const token = told.length === 0 ? environment.MILLWRIGHT_TOKEN || undefined : undefined
  const given = [tokenFile, keyFile, token].filter((value) => value !== undefined)
  if (given.length !== 1) {
    throw new Error(
      given.length === 0
        ? 'No credential: give --token-file or --key, or set MILLWRIGHT_TOKEN'
        : 'Several credentials in the environment: set one of MILLWRIGHT_TOKEN, MILLWRIGHT_TOKEN_FILE and MILLWRIGHT_KEY',
    )
  }
  if (keyFile === undefined && (values.scope ?? values.workspace) !== undefined) {
    throw new Error('--scope and --workspace go with --key: a token has its own')
  }
  if (keyFile !== undefined) {
    const scopes = values.scope?.split(',').map((scope) => parse('--scope', Scope, scope.trim())) ?? []
    const workspace = values.workspace === undefined ? undefined : parse('--workspace', WorkspaceId, values.workspace)
    return { help: false, url, credential: { kind: 'key', file: keyFile, scopes, workspace } }
  }
  if (tokenFile !== undefined) return { help: false, url, credential: { kind: 'token-file', file: tokenFile } }
  return { help: false, url, credential: { kind: 'token', token: toToken(token ?? '', 'MILLWRIGHT_TOKEN') } }
}

/** A token as it may stand in a header. Throws where it is none; `place` is named, the token is not. */
export function toToken(text: string, place: string): string {
  const token = text.trim()
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error(`${place} holds no token: it must be one word`)
  return token
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') {
    throw new Error('The address must be https://HOST/mcp, without a name or password in it')
  }
  if (url.protocol === 'http:' && !['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)) {
    throw new Error(`The address ${url.origin} must be https: a token sent there could be read on the way`)
  }
  return url
}

function parse<const S extends v.GenericSchema>(what: string, schema: S, value: string): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value)
  if (!parsed.success) throw new Error(`${what} cannot be "${value}"`)
  return parsed.output
}
