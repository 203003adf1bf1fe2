/** What a model file says of itself, as far as it is checked before the engine sees it. */
export interface GgufHeader {
  readonly architecture: string
  /** Scalars only, by key. */
  readonly numbers: ReadonlyMap<string, number>
  /** Smallest file that holds all tensors, in bytes. */
  readonly fileBytesMin: number
}

/** A file that is not a model that can be loaded. The message completes "the file ...". */
export class GgufProblem extends Error {
  override readonly name = 'GgufProblem'
}

/** The engine aborts its process when one of these is missing, instead of reporting it. */
const NEEDED_BY_QWEN_AND_LLAMA = [
  'block_count',
  'context_length',
  'embedding_length',
  'feed_forward_length',
  'attention.head_count',
]
/** Far above the largest known (vocabularies of 260,000 tokens take 12 MB), far below what fills memory. */
export const HEADER_BYTES_MAX = 64 * 1024 * 1024
const COUNT_MAX = 10_000_000
const STRING_BYTES_MAX = 8 * 1024 * 1024

/**
 * Reads the header from the file's first bytes. Returns null when it needs more of them than it was given.
 * Throws GgufProblem for bytes that cannot be a usable model, however many follow.
 */
export function parseGgufHeader(bytes: Uint8Array): GgufHeader | null {
  const reader = new Reader(bytes)
  try {
    return readHeader(reader)
  } catch (error) {
    if (error instanceof NeedsMore) return null
    throw error
  }
}

function readHeader(reader: Reader): GgufHeader {
  const magic = String.fromCharCode(...reader.bytes(4))
  if (magic !== 'GGUF') throw new GgufProblem('is not a GGUF file (it does not start with "GGUF")')
  const version = reader.uint32()
  if (version !== 2 && version !== 3) throw new GgufProblem(`has GGUF version ${version}; versions 2 and 3 can be read`)
  const tensorCount = reader.count('tensors')
  const metadataCount = reader.count('metadata entries')

  const numbers = new Map<string, number>()
  let architecture = ''
  for (let index = 0; index < metadataCount; index++) {
    const key = reader.string()
    const type = reader.uint32()
    const value = reader.value(type)
    if (typeof value === 'number') numbers.set(key, value)
    else if (key === 'general.architecture' && value !== null) architecture = value
  }
  if (architecture === '') throw new GgufProblem('names no model architecture')
  if (/^(qwen|llama)/.test(architecture)) {
    const missing = NEEDED_BY_QWEN_AND_LLAMA.filter((key) => !numbers.has(`${architecture}.${key}`))
    // An array of per-layer values is a number of another kind; only what is wholly absent counts.
    const absent = missing.filter((key) => !reader.arrays.has(`${architecture}.${key}`))
    if (absent.length > 0) throw new GgufProblem(`lacks ${absent.map((key) => `${architecture}.${key}`).join(', ')}`)
  }

  let dataBytes = 0
  for (let index = 0; index < tensorCount; index++) {
    reader.string()
    const dimensions = reader.uint32()
    if (dimensions > 8) throw new GgufProblem(`has a tensor of ${dimensions} dimensions`)
    let weights = 1
    for (let dimension = 0; dimension < dimensions; dimension++) weights *= reader.uint64()
    const type = reader.uint32()
    const offset = reader.uint64()
    dataBytes = Math.max(dataBytes, offset + weightBytes(type, weights))
  }
  const alignment = numbers.get('general.alignment') ?? 32
  const dataStart = Math.ceil(reader.at / alignment) * alignment
  return { architecture, numbers, fileBytesMin: dataStart + dataBytes }
}

/** Weights and bytes of one block, by GGML's number of the type. What is not listed counts as nothing. */
const BLOCKS: Readonly<Record<number, readonly [weights: number, bytes: number]>> = {
  0: [1, 4],
  1: [1, 2],
  2: [32, 18],
  3: [32, 20],
  6: [32, 22],
  7: [32, 24],
  8: [32, 34],
  9: [32, 36],
  10: [256, 84],
  11: [256, 110],
  12: [256, 144],
  13: [256, 176],
  14: [256, 210],
  15: [256, 292],
  16: [256, 66],
  17: [256, 74],
  18: [256, 98],
  19: [256, 50],
  20: [32, 18],
  21: [256, 110],
  22: [256, 82],
  23: [256, 136],
  24: [1, 1],
  25: [1, 2],
  26: [1, 4],
  27: [1, 8],
  28: [1, 8],
  29: [256, 56],
  30: [1, 2],
  39: [32, 17],
}

function weightBytes(type: number, weights: number): number {
  const block = BLOCKS[type]
  return block === undefined ? 0 : Math.ceil(weights / block[0]) * block[1]
}

class NeedsMore extends Error {}

/** Bytes of a scalar, by GGUF's number of its type. */
const SCALAR_BYTES: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
}
const STRING = 8
const ARRAY = 9

class Reader {
  at = 0
  /** Keys whose value is an array. */
  readonly arrays = new Set<string>()
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #lastString = ''

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  #take(length: number): number {
    const start = this.at
    if (start + length > this.#bytes.length) throw new NeedsMore()
    this.at += length
    return start
  }

  bytes(length: number): Uint8Array {
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  uint64(): number {
    return Number(this.#view.getBigUint64(this.#take(8), true))
  }

  count(what: string): number {
    const count = this.uint64()
    if (count > COUNT_MAX) throw new GgufProblem(`claims ${count} ${what}`)
    return count
  }

  string(): string {
    const length = this.#stringLength()
    this.#lastString = Buffer.from(this.bytes(length)).toString('utf8')
    return this.#lastString
  }

  #stringLength(): number {
    const length = this.uint64()
    if (length > STRING_BYTES_MAX) throw new GgufProblem(`claims a text of ${length} bytes in its header`)
    return length
  }

  /** A number, a text, or null for an array, which is passed over. Called right after its key was read. */
  value(type: number): number | string | null {
    const key = this.#lastString
    if (type === STRING) return this.string()
    if (type === ARRAY) {
      this.arrays.add(key)
      this.#skipArray(0)
      return null
    }
    return this.#scalar(type)
  }

  #skipArray(depth: number): void {
    if (depth > 4) throw new GgufProblem('nests arrays in its header too deeply')
    const type = this.uint32()
    const count = this.count('entries of an array')
    if (type === STRING) for (let index = 0; index < count; index++) this.#take(this.#stringLength())
    else if (type === ARRAY) for (let index = 0; index < count; index++) this.#skipArray(depth + 1)
    else this.#take(count * this.#scalarBytes(type))
  }

  #scalarBytes(type: number): number {
    const size = SCALAR_BYTES[type]
    if (size === undefined) throw new GgufProblem(`has a metadata value of unknown type ${type}`)
    return size
  }

  #scalar(type: number): number {
    const start = this.#take(this.#scalarBytes(type))
    const view = this.#view
    switch (type) {
      case 1:
        return view.getInt8(start)
      case 2:
        return view.getUint16(start, true)
      case 3:
        return view.getInt16(start, true)
      case 4:
        return view.getUint32(start, true)
      case 5:
        return view.getInt32(start, true)
      case 6:
        return view.getFloat32(start, true)
      case 10:
        return Number(view.getBigUint64(start, true))
      case 11:
        return Number(view.getBigInt64(start, true))
      case 12:
        return view.getFloat64(start, true)
      default:
        return view.getUint8(start)
    }
  }
}
