import { AppError } from '#shared/errors.ts'
import type { Machine } from './child-protocol.ts'

/** Where a model comes from. */
export type ModelSource =
  | { readonly kind: 'file'; readonly path: string }
  /** A URI that the engine's library resolves: `hf:USER/REPOSITORY/FILE`, `hf:USER/REPOSITORY:QUANTISATION`, `https:`. */
  | { readonly kind: 'remote'; readonly uri: string }
  | { readonly kind: 'embedded' }
  /** Chosen by what the machine has, see `chooseDefaultModel`. */
  | { readonly kind: 'default' }

export interface ModelReference {
  /** As people see it; holds no folder. */
  readonly name: string
  readonly source: ModelSource
  /** Of the file, in lower-case hexadecimal; left out: any file will do. */
  readonly sha256?: string
}

/**
 * Qwen's own GGUF repositories. The file is named in full, so that resolving needs no question to the server and a
 * person can fetch just that file by other means. The 7B model comes in two parts; the library fetches both.
 */
const QWEN = {
  'qwen2.5-7b': 'hf:Qwen/Qwen2.5-7B-Instruct-GGUF/qwen2.5-7b-instruct-q4_k_m-00001-of-00002.gguf',
  'qwen2.5-3b': 'hf:Qwen/Qwen2.5-3B-Instruct-GGUF/qwen2.5-3b-instruct-q4_k_m.gguf',
  'qwen2.5-1.5b': 'hf:Qwen/Qwen2.5-1.5B-Instruct-GGUF/qwen2.5-1.5b-instruct-q4_k_m.gguf',
  'qwen2.5-0.5b': 'hf:Qwen/Qwen2.5-0.5B-Instruct-GGUF/qwen2.5-0.5b-instruct-q4_k_m.gguf',
} as const
type QwenName = keyof typeof QWEN

const isQwenName = (name: string): name is QwenName => Object.hasOwn(QWEN, name)

export const KNOWN_MODELS: readonly string[] = ['demo', ...Object.keys(QWEN)]

/**
 * What `--model` may say: a known name, a path to a .gguf file, or a URI, and behind it `#sha256=HEX` where the file's hash
 * is to be checked before it is loaded. Nothing at all means the default model.
 */
export function parseModelReference(text: string | undefined): ModelReference {
  if (text === undefined) return { name: 'default', source: { kind: 'default' } }
  const { reference, sha256 } = splitDigest(text)
  const model = parsePlainReference(reference)
  return sha256 === null ? model : { ...model, sha256 }
}

const DIGEST_MARK = '#sha256='

/** Throws AppError `invalid_input` for what stands in the place of a hash and is none. */
function splitDigest(text: string): { reference: string; sha256: string | null } {
  const at = text.lastIndexOf(DIGEST_MARK)
  if (at === -1) return { reference: text, sha256: null }
  const sha256 = text.slice(at + DIGEST_MARK.length).toLowerCase()
  if (/^[0-9a-f]{64}$/.test(sha256)) return { reference: text.slice(0, at), sha256 }
  throw new AppError('invalid_input', `Cannot use model ${quote(text)}: what follows ${DIGEST_MARK} is no SHA-256`, {
    hint: 'Write its 64 hexadecimal digits, as sha256sum prints them',
  })
}

function parsePlainReference(text: string): ModelReference {
  if (text === 'demo') return { name: 'demo', source: { kind: 'embedded' } }
  if (isQwenName(text)) return { name: text, source: { kind: 'remote', uri: QWEN[text] } }
  if (/^(hf|huggingface):/.test(text)) return parseHuggingFace(text)
  if (/^https?:/.test(text)) return parseAddress(text)
  if (/\.gguf$/i.test(text)) return { name: fileName(text), source: { kind: 'file', path: text } }
  throw new AppError('invalid_input', `Cannot use model ${quote(text)}: not a known name, a .gguf file or a URI`, {
    hint: `Known names are ${KNOWN_MODELS.join(', ')}; else pass the path of a .gguf file, hf:USER/REPOSITORY:Q4_K_M or https://...`,
    details: { known: KNOWN_MODELS },
  })
}

function parseHuggingFace(text: string): ModelReference {
  if (!/^[a-z]+:(\/\/)?[\w.-]+\/[\w.-]+(:[\w.-]+|(\/[\w.-]+)+(#[\w./-]+)?)?$/.test(text)) {
    throw new AppError('invalid_input', `Cannot use model ${quote(text)}: not a Hugging Face reference`, {
      hint: 'Write hf:USER/REPOSITORY/FILE.gguf or hf:USER/REPOSITORY:Q4_K_M',
    })
  }
  return { name: text, source: { kind: 'remote', uri: text } }
}

function parseAddress(text: string): ModelReference {
  const url = URL.parse(text)
  if (url === null || !/\.gguf$/i.test(url.pathname)) {
    throw new AppError('invalid_input', `Cannot use model ${quote(text)}: not the address of a .gguf file`, {
      hint: 'Write https://HOST/PATH/FILE.gguf',
    })
  }
  return { name: fileName(url.pathname), source: { kind: 'remote', uri: text } }
}

const GIB = 2 ** 30

/**
 * The model for a machine when nobody named one. Never the embedded one, which knows nothing but its few tasks.
 *
 * On a GPU by free memory: the file (4.7, 2.1, 1.1, 0.5 GB), a context of 16,384 tokens (0.9 GB for the largest), the
 * engine's own buffers, and a reserve. Without one speed is the limit: each step up takes twice to three times as long
 * per token.
 */
export function chooseDefaultModel(machine: Machine): ModelReference & { source: { kind: 'remote' } } {
  const name = chooseByMemory(machine)
  return { name, source: { kind: 'remote', uri: QWEN[name] } }
}

function chooseByMemory({ gpu, memoryFreeBytes, mathCores }: Machine): QwenName {
  const free = gpu === null ? 0 : gpu.memoryBytes - gpu.memoryUsedBytes
  if (free >= 7 * GIB) return 'qwen2.5-7b'
  if (free >= 4 * GIB) return 'qwen2.5-3b'
  if (free >= 2.5 * GIB) return 'qwen2.5-1.5b'
  if (mathCores >= 8 && memoryFreeBytes >= 8 * GIB) return 'qwen2.5-3b'
  if (mathCores >= 4 && memoryFreeBytes >= 4 * GIB) return 'qwen2.5-1.5b'
  return 'qwen2.5-0.5b'
}

/** For a person behind a firewall: the file that a URI stands for, as plainly as the URI allows. */
export function describeRemote(uri: string): string {
  const file = /^(?:hf|huggingface):(?:\/\/)?([^/]+\/[^/:]+)\/(.+)$/.exec(uri)
  if (file === null) return uri
  const both = /-00001-of-0*(\d+)\.gguf$/.exec(uri)
  return `${file[2]} from huggingface.co/${file[1]}${both === null ? '' : ` (all ${both[1]} parts, into one folder)`}`
}

/** The last segment of a path of either kind. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path
}

const quote = (text: string) => JSON.stringify(text.length > 80 ? `${fileName(text).slice(0, 77)}...` : text)
