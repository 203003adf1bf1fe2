import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { Name, TOKEN_DAYS_MAX } from '#functions/auth/administration.ts'
import { Role, type Scope, Scope as ScopeSchema } from '#shared/access.ts'
import { WorkspaceId } from '#shared/ids.ts'
import { MachineName, MachineRole, PublicKey } from '#shared/protocol/signature.ts'
import { parseEdgeUrl } from './http-administration.ts'

export const keysUsage = `Usage: npm run keys -- [create] [--user NAME] [--role ROLE] [--out FILE] [--label TEXT]
       npm run keys -- add FILE.pub --user NAME [--role ROLE] [--label TEXT]
       npm run keys -- grant NAME --role ROLE      npm run keys -- remove NAME
       npm run keys -- token --name NAME [--user NAME] [--scopes read,write] [--days N]
       npm run keys -- list                        npm run keys -- revoke FINGERPRINT|TOKEN_ID
       npm run keys -- machine NAME [--role repository|model] [--url URL] [--nats-data DIR] [--out FILE]
       npm run keys -- machines                    npm run keys -- revoke-machine NAME|KEY
       npm run keys -- edge-key [--make]

  create          makes an RSA key pair of 3072 bits and registers its public half; what happens where no command is given
  add             registers the public half that somebody has sent you
  grant, remove   what a person may do in the workspace: reader, writer or admin; or nothing any more
  token           makes an access token for a program. It is printed once, and only its hash is kept
  list            people, their keys and tokens, in this workspace and all others
  revoke          makes a key or a token worthless, at once, with all that was opened with it

  machine         lets one other machine work for this edge: prints a line for "npm run worker -- enroll" there, good once and for 15 minutes,
                  and waits until it has been used; with --out writes its credentials into a file, for a NATS of your own
  machines        those that were enrolled
  revoke-machine  parts NATS from one, at once, and takes nothing of it any more; by its public key where NATS is your own
  edge-key        the public halves of this edge's keys; with --make a new private key for another edge, and its public half

  --url URL       where the machine reaches NATS (tls://HOST:4222, wss://HOST); by the name of this machine where left out
  --nats-data DIR the data folder of npm run nats, where that is not the edge's
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

const machineCommands = ['machine', 'machines', 'revoke-machine', 'edge-key'] as const
const commands = ['create', 'add', 'grant', 'remove', 'token', 'list', 'revoke', ...machineCommands] as const
export type KeysCommand = (typeof commands)[number]
export type MachineCommand = (typeof machineCommands)[number]

/** Whether it is about machines: these need no database. */
export const isMachineCommand = (command: KeysCommand): command is MachineCommand =>
  machineCommands.some((each) => each === command)

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
  /** Of a machine. */
  readonly machineRole: MachineRole
  /** Where a machine reaches NATS. */
  readonly url: string | undefined
  readonly natsFolder: string | undefined
  /** Of edge-key: a new one that is kept nowhere. */
  readonly make: boolean
}

const DAYS_DEFAULT = 90
const takesSubject: ReadonlySet<KeysCommand> = new Set<KeysCommand>([
  'add',
  'grant',
  'remove',
  'revoke',
  'machine',
  'revoke-machine',
])
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
      url: text,
      'nats-data': text,
      make: { type: 'boolean' },
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
    subject: values.help === true ? subject : parseSubject(command, subject),
    user: values.user === undefined ? undefined : parse('--user', Name, values.user),
    role: values.role === undefined || command === 'machine' ? undefined : parse('--role', Role, values.role),
    out: values.out,
    label: values.label === undefined ? undefined : parse('--label', Name, values.label),
    name: values.name === undefined ? undefined : parse('--name', Name, values.name),
    scopes: (values.scopes ?? 'read,write').split(',').map((scope) => parse('--scopes', ScopeSchema, scope.trim())),
    days: values.days === undefined ? DAYS_DEFAULT : parseDays(values.days),
    repository: values.repo,
    dataFolder: values.data,
    workspace: values.workspace === undefined ? undefined : parse('--workspace', WorkspaceId, values.workspace),
    edge: values.edge === undefined ? undefined : parseEdgeUrl(values.edge),
    machineRole: command === 'machine' ? parse('--role', MachineRole, values.role ?? 'repository') : 'repository',
    url: values.url,
    natsFolder: values['nats-data'],
    make: values.make === true,
  }
}

function parseSubject(command: KeysCommand, subject: string): string {
  if (command === 'grant' || command === 'remove') return parse('the name', Name, subject)
  if (command === 'revoke-machine') return parse('the name or key', v.union([MachineName, PublicKey]), subject)
  return command === 'machine' ? parse('the name', MachineName, subject) : subject
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
