import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, isAbsolute, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { toWorkspaceId } from '#shared/ids.ts'

/** `command` is what npm is given. */
export const startUsage = (
  command: 'start' | 'run edge',
): string => `Usage: npm ${command} -- [--repo PATH] [--model [NAME=]MODEL]... [--port PORT] [--data DIR] [--threads N]
                      [--slots N]

  --repo PATH     the git repository to serve; the one you stand in where left out
  --model MODEL   a model by name, a GGUF file, an hf: address, or openai:http://HOST:PORT/v1#MODEL for one that a server
                  has; chosen by the machine's memory where left out. Several --model make several models, of which the
                  first is the default; NAME=MODEL gives one a name of its own, MODEL#sha256=HEX checks its file
  --port PORT     of the page and the MCP endpoint, on 127.0.0.1; 8000 where left out, 0 for a free one
  --data DIR      where state is kept; a folder per repository below your data folder where left out
  --threads N     processor threads for the model
  --slots N       answers that it writes at the same time, each of which takes memory; by the memory where left out
  --help          this text`

export interface StartOptions {
  readonly help: boolean
  readonly repository: string | undefined
  /** The first is the default; empty where the machine is to choose. */
  readonly models: readonly string[]
  readonly port: number
  readonly dataFolder: string | undefined
  readonly threads: number | undefined
  readonly slots: number | undefined
}

const PORT_DEFAULT = 8000
/** Far more than any machine has cores. */
const THREADS_MAX = 1024
/** As the worker takes it. */
const SLOTS_MAX = 64

/**
 * Reads the command line. Paths are taken from `userFolder`, the folder in which the command was given. Throws an
 * Error that names the flag.
 */
export function parseStartOptions(argv: readonly string[], userFolder: string): StartOptions {
  const { values } = parseArgs({
    args: [...argv],
    strict: true,
    allowPositionals: false,
    options: {
      repo: { type: 'string' },
      model: { type: 'string', multiple: true },
      port: { type: 'string' },
      data: { type: 'string' },
      threads: { type: 'string' },
      slots: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  for (const [name, value] of Object.entries(values)) {
    if (value === '' || (Array.isArray(value) && value.includes(''))) throw new Error(`--${name} needs a value`)
  }
  return {
    help: values.help === true,
    repository: values.repo,
    models: (values.model ?? []).map((model) => resolveModel(model, userFolder)),
    port: values.port === undefined ? PORT_DEFAULT : parseCount('--port', values.port, 0, 65_535),
    dataFolder: values.data === undefined ? undefined : resolve(userFolder, values.data),
    threads: values.threads === undefined ? undefined : parseCount('--threads', values.threads, 1, THREADS_MAX),
    slots: values.slots === undefined ? undefined : parseCount('--slots', values.slots, 1, SLOTS_MAX),
  }
}

function parseCount(flag: string, text: string, min: number, max: number): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < min || number > max) {
    throw new Error(`${flag} must be a whole number from ${min} to ${max}, not "${text}"`)
  }
  return number
}

/** The worker runs in another folder, so a path must be absolute; names and addresses stay as they are. */
function resolveModel(text: string, userFolder: string): string {
  const [, name = '', model = text] = /^([a-z0-9][\w.-]*=)(.+)$/is.exec(text) ?? []
  return name + resolveReference(model, userFolder)
}

function resolveReference(reference: string, userFolder: string): string {
  if (/^[a-z][a-z0-9+.-]+:/i.test(reference)) return reference
  const [, model = reference, digest = ''] = /^(.*?)(#sha256=.*)$/s.exec(reference) ?? []
  return resolveFile(model, userFolder) + digest
}

function resolveFile(model: string, userFolder: string): string {
  const path = resolve(userFolder, model.startsWith('~/') ? join(homedir(), model.slice(2)) : model)
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return path
  if (/[\\/]|\.gguf$/i.test(model)) throw new Error(`--model: there is no file ${path}`)
  return model
}

/**
 * Where a repository's state is kept unless `--data` says otherwise: below the user's data folder, under the
 * repository's name and eight digits of its path's hash, since two repositories may have one name.
 */
export function defaultDataFolder(
  repository: string,
  { platform, env, home }: { platform: NodeJS.Platform; env: NodeJS.ProcessEnv; home: string },
): string {
  // The XDG rules: a relative path there is invalid and to be ignored.
  const xdg = env.XDG_DATA_HOME
  const base =
    xdg !== undefined && isAbsolute(xdg)
      ? xdg
      : platform === 'darwin'
        ? join(home, 'Library', 'Application Support')
        : join(home, '.local', 'share')
  const hash = createHash('sha256').update(repository).digest('hex').slice(0, 8)
  return join(base, 'millwright', `${toWorkspaceId(basename(repository))}-${hash}`)
}
