import { AppError } from '#shared/errors.ts'
import { type ModelReference, parseModelReference } from './models.ts'

/** A model that another program serves, at an OpenAI-style address. */
export interface ServerReference {
  readonly name: string
  readonly server: ServerAddress
}

export interface ServerAddress {
  /** Ends before `/chat/completions`; no credentials, no query. */
  readonly url: string
  /** As the server calls it; null means the first that it lists. */
  readonly model: string | null
  /** The environment variable that holds the key; null means OPENAI_API_KEY, where that may be sent. */
  readonly keyVariable: string | null
}

export type ConfiguredModel = ModelReference | ServerReference

/** Agents store it, and people type it. */
const NAMED = /^([a-z0-9][\w.-]{0,63})=(.+)$/is

/**
 * What all `--model` together may say: references, each with a name of its own in front where wanted (`NAME=REFERENCE`).
 * The first is the default; none at all means one that is chosen by the machine. Throws AppError `invalid_input`.
 */
export function parseModelList(texts: readonly string[]): ConfiguredModel[] {
  if (texts.length === 0) return [parseModelReference(undefined)]
  const models = texts.map(parseNamed)
  const names = models.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw new AppError('invalid_input', `Cannot use two models of the name ${JSON.stringify(twice)}`, {
      hint: 'Give each a name of its own: --model NAME=REFERENCE',
    })
  }
  return models
}

/**
 * What all `--model` together may say where no model runs: names of models that other workers serve, and `openai:`
 * addresses, which need no hardware here. Throws AppError `invalid_input`.
 */
export function parseRemoteList(texts: readonly string[]): { here: ConfiguredModel[]; remoteNames: string[] } {
  const isAddress = (text: string) => (NAMED.exec(text)?.[2] ?? text).startsWith('openai:')
  const addresses = texts.filter(isAddress)
  const remoteNames = texts.filter((text) => !isAddress(text))
  const reference = remoteNames.find((name) => NAMED.test(name) || /\.gguf$/i.test(name))
  if (reference !== undefined) {
    throw new AppError(
      'invalid_input',
      `Cannot use model ${JSON.stringify(reference)}: this worker runs no models itself`,
      {
        hint: 'Pass the name under which a model worker serves it, or leave --role repository out',
      },
    )
  }
  return { here: addresses.length === 0 ? [] : parseModelList(addresses), remoteNames }
}

function parseNamed(text: string): ConfiguredModel {
  const [, name, reference = text] = NAMED.exec(text) ?? []
  const model = reference.startsWith('openai:') ? parseServer(reference) : parseModelReference(reference)
  return name === undefined ? model : { ...model, name }
}

/** `openai:http://HOST:PORT/v1#MODEL`; `?key_from=VARIABLE` names the environment variable with the key. */
function parseServer(text: string): ServerReference {
  const url = URL.parse(text.slice('openai:'.length))
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw invalidAddress('its address must begin with http:// or https://')
  }
  // Not repeated: what stands there may be a secret.
  if (url.username !== '' || url.password !== '') throw invalidAddress('the address must not hold credentials')
  const keyVariable = url.searchParams.get('key_from')
  if (url.search !== '' && (keyVariable === null || url.searchParams.size > 1)) {
    throw invalidAddress('behind ? it may only have key_from=VARIABLE')
  }
  if (keyVariable !== null && !/^[A-Z_][A-Z0-9_]*$/.test(keyVariable)) {
    throw invalidAddress('key_from must be the name of an environment variable, not a key')
  }
  if (url.hash.startsWith('#sha256='))
    throw invalidAddress('a server does not show its file, so #sha256= cannot be checked')
  const model = url.hash === '' ? null : decodeFragment(url.hash.slice(1))
  return {
    name: model ?? url.host,
    server: { url: `${url.origin}${url.pathname.replace(/\/+$/, '')}`, model, keyVariable },
  }
}

/** Names of models hold slashes and colons, rarely a percent sign; one that is no escape stays. */
function decodeFragment(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const invalidAddress = (why: string) =>
  new AppError('invalid_input', `Cannot use a model behind "openai:": ${why}`, {
    hint: 'Write openai:http://127.0.0.1:8080/v1#MODEL, and put the key into OPENAI_API_KEY or into the variable that ?key_from=VARIABLE names',
  })

/**
 * The key for a server; null means none. OPENAI_API_KEY may be meant for another place, so it goes to this machine or
 * over https only; a variable that the configuration names goes wherever it says. Throws AppError `invalid_input` where
 * the named variable is not set.
 */
export function findKey({ url, keyVariable }: ServerAddress, environment: NodeJS.ProcessEnv): string | null {
  if (keyVariable !== null) {
    const key = environment[keyVariable]
    if (key !== undefined && key !== '') return key
    throw new AppError('invalid_input', `Cannot use a model behind "openai:": ${keyVariable} is not set`, {
      hint: 'Set it to the key of the server, or leave ?key_from= out',
    })
  }
  const { protocol, hostname } = new URL(url)
  const isLocal = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
  return protocol === 'https:' || isLocal ? environment.OPENAI_API_KEY || null : null
}
