import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { Name, TOKEN_DAYS_MAX } from '#functions/auth/administration.ts'
import { Role, type Scope, Scope as ScopeSchema } from '#shared/access.ts'
import { WorkspaceId } from '#shared/ids.ts'
import { parseEdgeUrl } from './http-administration.ts'

export const keysUsage = `Usage: npm run keys -- [create] [--user NAME] [--role ROLE] [--out FILE] [--label TEXT]
       npm run keys -- add FILE.pub --user NAME [--role ROLE] [--label TEXT]
       npm run keys -- grant NAME --role ROLE      npm run keys -- remove NAME
       npm run keys -- token --name NAME [--user NAME] [--scopes read,write] [--days N]
       npm run keys -- list                        npm run keys -- revoke FINGERPRINT|TOKEN_ID

  create          makes an RSA key pair of 3072 bits and registers its public half; what happens where no command is given
  add             registers the public half that somebody has sent you
  grant, remove   what a person may do in the workspace: reader, writer or admin; or nothing any more
  token           makes an access token for a program. It is printed once, and only its hash is kept
  list            people, their keys and tokens, in this workspace and all others
  revoke          makes a key or a token worthless, at once, with all that was opened with it

  --user NAME     whose; you, by the name of your account, where left out
  --role ROLE     reader, writer or admin; admin for the first person of a workspace and writer for others where left out
  --out FILE      where the private half is written; in ~/.config/millwright/keys where left out. Never into a repository
  --days N        how long a token is good, 1 to 366; 90 where left out
  --repo PATH     the repository, as for npm start; the one you stand in where left out
  --data DIR      its data folder, as for npm start, or the one of npm run functions
  --workspace W   the workspace; the one of the repository, or of the edge at URL, where left out
  --edge URL      an edge in workerd, which keeps its people itself: https://HOST, or the address that npm run edge printed.
                  Its token is taken from MILLWRIGHT_TOKEN; on this machine from the repository's data folder
  --help          this text`

const commands = ['create', 'add', 'grant', 'remove', 'token', 'list', 'revoke'] as const
export type KeysCommand = (typeof commands)[number]

export interface KeysOptions {
  readonly help: boolean
  readonly command: KeysCommand
  /** FILE.pub of add, NAME of grant and remove, the id of revoke; empty for the others. */
  readonly subject: string
  readonly user: string | undefined
  readonly role: Role | undefined
  readonly out: string | undefined
  readonly label: string | undefined
  readonly name: string | undefined
  readonly scopes: readonly Scope[]
  readonly days: number
  readonly repository: string | undefined
  readonly dataFolder: string | undefined
  readonly workspace: WorkspaceId | undefined
  /** Left out: the one on Node, by way of its database. */
  readonly edge: { readonly origin: string; readonly isHere: boolean } | undefined
}

const DAYS_DEFAULT = 90
const takesSubject: ReadonlySet<KeysCommand> = new Set<KeysCommand>(['add', 'grant', 'remove', 'revoke'])
/** Reads the command line. Throws an Error that names what is wrong. */
export function parseKeysOptions(argv: readonly string[]): KeysOptions {
  const text = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    args: [...argv],
    strict: true,
    allowPositionals: true,
    options: {
      user: text,
      role: text,
      out: text,
      label: text,
      name: text,
      scopes: text,
      days: text,
      repo: text,
      data: text,
      workspace: text,
      edge: text,
      help: { type: 'boolean', short: 'h' },
    },
  })
  const [word = 'create', subject = '', ...more] = positionals
  const command = commands.find((each) => each === word)
  if (command === undefined) throw new Error(`There is no command "${word}"`)
  if (more.length > 0 || (subject !== '' && !takesSubject.has(command)))
    throw new Error(`${command} takes no more words`)
  if (values.help !== true) {
    if (takesSubject.has(command) && subject === '') throw new Error(`${command} needs one more word`)
    if (command === 'add' && values.user === undefined) throw new Error('add needs --user: whose key it is')
    if (command === 'grant' && values.role === undefined) throw new Error('grant needs --role')
    if (command === 'token' && values.name === undefined) throw new Error('token needs --name')
  }
  return {
    help: values.help === true,
    command,
    subject: command === 'grant' || command === 'remove' ? parse('the name', Name, subject) : subject,
    user: values.user === undefined ? undefined : parse('--user', Name, values.user),
    role: values.role === undefined ? undefined : parse('--role', Role, values.role),
    out: values.out,
    label: values.label === undefined ? undefined : parse('--label', Name, values.label),
    name: values.name === undefined ? undefined : parse('--name', Name, values.name),
    scopes: (values.scopes ?? 'read,write').split(',').map((scope) => parse('--scopes', ScopeSchema, scope.trim())),
    days: values.days === undefined ? DAYS_DEFAULT : parseDays(values.days),
    repository: values.repo,
    dataFolder: values.data,
    workspace: values.workspace === undefined ? undefined : parse('--workspace', WorkspaceId, values.workspace),
    edge: values.edge === undefined ? undefined : parseEdgeUrl(values.edge),
  }
}

function parse<const S extends v.GenericSchema>(what: string, schema: S, value: string): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value)
  if (!parsed.success) throw new Error(`${what} cannot be "${value}"`)
  return parsed.output
}

function parseDays(value: string): number {
  const days = Number(value)
  if (!/^\d+$/.test(value) || days < 1 || days > TOKEN_DAYS_MAX) {
    throw new Error(`--days must be a whole number from 1 to ${TOKEN_DAYS_MAX}, not "${value}"`)
  }
  return days
}
