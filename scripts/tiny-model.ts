import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'

/**
 * Makes a language model with random weights: the Qwen2 architecture, Qwen2.5's chat template and ChatML's control
 * tokens, so that tests and benchmarks exercise the real engine without a download. What it answers means nothing.
 */
export interface TinyModelOptions {
  /** Same options and seed, same bytes. */
  seed?: number
  layers?: number
  /** A multiple of 32 (the block of both quantisations), and of `heads`. */
  hidden?: number
  heads?: number
  keyValueHeads?: number
  /** A multiple of 32. */
  feedForward?: number
  contextTokens?: number
  quantisation?: 'q8_0' | 'q4_0'
  /** Tokens of the vocabulary; filled up with unused ones. At least what the real ones take (about 330). */
  vocabularyTokens?: number
  /**
   * Attention adds nothing, though it is computed: the next token follows from the last one alone, so that the answer is
   * known before, whatever else a prompt holds. It may use every token of the vocabulary but the control tokens.
   */
  memoryless?: boolean
  /**
   * How many layers add anything, the first ones; the others are computed all the same. So a model with fewer layers, of the
   * same seed, says the same: a draft model that is always right. All where left out.
   */
  layersAtWork?: number
}

/** The shape of Qwen2.5-0.5B, for speed measurements: 284 MB in Q4_0, 531 MB in Q8_0. */
export const HALF_BILLION: TinyModelOptions = {
  layers: 24,
  hidden: 896,
  heads: 14,
  keyValueHeads: 2,
  feedForward: 4864,
  contextTokens: 32_768,
  vocabularyTokens: 151_936,
}

const ALIGNMENT = 32
const QUANTISATIONS = {
  // GGML type, general.file_type, bytes of a block of 32 weights, standard deviation of its random integers
  q8_0: { type: 8, fileType: 7, blockBytes: 34, deviation: 74 },
  q4_0: { type: 2, fileType: 2, blockBytes: 18, deviation: 4.6 },
} as const
const F32 = 0

const CONTROL_TOKENS = [
  '<|endoftext|>',
  '<|im_start|>',
  '<|im_end|>',
  '<|object_ref_start|>',
  '<|object_ref_end|>',
  '<|box_start|>',
  '<|box_end|>',
  '<|fim_prefix|>',
  '<|fim_middle|>',
  '<|fim_suffix|>',
]
/** As in Qwen2.5: llama.cpp finds these in any text, also where control tokens are not looked for. */
const USER_DEFINED_TOKENS = ['<tool_call>', '</tool_call>']
/** Merged from left to right, so that common words are one token, as in a real vocabulary. */
const WORDS = ['system', 'user', 'assistant', 'Ġthe', 'Ġof', 'Ġand', 'ĠĠĠĠ', 'def', 'class', 'return', 'import', 'self']

/** Qwen2.5's chat template (Apache 2.0), as its published models carry it. */
const CHAT_TEMPLATE = `{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0]['role'] == 'system' %}
        {{- messages[0]['content'] }}
    {%- else %}
        {{- 'You are Qwen, created by Alibaba Cloud. You are a helpful assistant.' }}
    {%- endif %}
    {{- "\\n\\n# Tools\\n\\nYou may call one or more functions to assist with the user query.\\n\\nYou are provided with function signatures within <tools></tools> XML tags:\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools>\\n\\nFor each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:\\n<tool_call>\\n{\\"name\\": <function-name>, \\"arguments\\": <args-json-object>}\\n</tool_call><|im_end|>\\n" }}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}
            {{- '\\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\\n<tool_call>\\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- message.content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
`

interface Tensor {
  readonly name: string
  /** Row length first, as GGML counts. */
  readonly shape: readonly number[]
  readonly kind: 'weights' | 'norm'
  /** Standard deviation of weights; value of a norm. */
  readonly scale: number
}

/**
 * Writes the model to `path`, replacing what is there in one step. Returns its size in bytes.
 * Throws RangeError where the shape does not fit the format.
 */
export async function writeTinyModel(path: string, options: TinyModelOptions = {}): Promise<number> {
  const shape = toShape(options)
  const quantisation = QUANTISATIONS[shape.quantisation]
  const vocabulary = makeVocabulary(shape.vocabularyTokens, shape.memoryless ? 1 : 5)
  const tensors = listTensors(shape, vocabulary.tokens.length)
  const header = new GgufWriter()

  const metadata: [string, (writer: GgufWriter) => void][] = [
    ['general.architecture', (writer) => writer.stringValue('qwen2')],
    ['general.name', (writer) => writer.stringValue('Millwright tiny (random weights)')],
    ['general.file_type', (writer) => writer.uint32Value(quantisation.fileType)],
    ['general.quantization_version', (writer) => writer.uint32Value(2)],
    ['qwen2.block_count', (writer) => writer.uint32Value(shape.layers)],
    ['qwen2.context_length', (writer) => writer.uint32Value(shape.contextTokens)],
    ['qwen2.embedding_length', (writer) => writer.uint32Value(shape.hidden)],
    ['qwen2.feed_forward_length', (writer) => writer.uint32Value(shape.feedForward)],
    ['qwen2.attention.head_count', (writer) => writer.uint32Value(shape.heads)],
    ['qwen2.attention.head_count_kv', (writer) => writer.uint32Value(shape.keyValueHeads)],
    ['qwen2.attention.layer_norm_rms_epsilon', (writer) => writer.float32Value(1e-6)],
    ['qwen2.rope.freq_base', (writer) => writer.float32Value(1_000_000)],
    ['tokenizer.ggml.model', (writer) => writer.stringValue('gpt2')],
    // Without it llama.cpp splits words another way and says nothing.
    ['tokenizer.ggml.pre', (writer) => writer.stringValue('qwen2')],
    ['tokenizer.ggml.tokens', (writer) => writer.stringArray(vocabulary.tokens)],
    ['tokenizer.ggml.token_type', (writer) => writer.int32Array(vocabulary.types)],
    ['tokenizer.ggml.merges', (writer) => writer.stringArray(vocabulary.merges)],
    ['tokenizer.ggml.bos_token_id', (writer) => writer.uint32Value(vocabulary.tokens.indexOf('<|endoftext|>'))],
    ['tokenizer.ggml.eos_token_id', (writer) => writer.uint32Value(vocabulary.tokens.indexOf('<|im_end|>'))],
    ['tokenizer.ggml.padding_token_id', (writer) => writer.uint32Value(vocabulary.tokens.indexOf('<|endoftext|>'))],
    ['tokenizer.ggml.add_bos_token', (writer) => writer.booleanValue(false)],
    ['tokenizer.chat_template', (writer) => writer.stringValue(CHAT_TEMPLATE)],
  ]

  header.bytes(Buffer.from('GGUF'))
  header.uint32(3)
  header.uint64(tensors.length)
  header.uint64(metadata.length)
  for (const [key, write] of metadata) {
    header.string(key)
    write(header)
  }
  let offset = 0
  for (const tensor of tensors) {
    header.string(tensor.name)
    header.uint32(tensor.shape.length)
    for (const size of tensor.shape) header.uint64(size)
    header.uint32(tensor.kind === 'norm' ? F32 : quantisation.type)
    header.uint64(offset)
    offset += aligned(tensorBytes(tensor, quantisation.blockBytes))
  }

  const temporary = `${path}.${randomUUID()}.tmp`
  const file = await open(temporary, 'wx')
  try {
    let written = 0
    const put = async (bytes: Uint8Array) => {
      await file.writeFile(bytes)
      written += bytes.length
      const padding = aligned(written) - written
      if (padding > 0) await file.writeFile(new Uint8Array(padding))
      written += padding
    }
    await put(header.take())
    const random = createRandom(shape.seed)
    for (const tensor of tensors) {
      if (tensor.kind === 'norm') {
        await put(normBytes(tensor))
        continue
      }
      const bytes = weightBytes(tensor, quantisation, random, vocabulary)
      if (shape.memoryless && shape.quantisation === 'q4_0') centre(bytes)
      await put(bytes)
    }
    await file.close()
    await rename(temporary, path)
    return written
  } catch (error) {
    await file.close().catch(() => {})
    await rm(temporary, { force: true })
    throw error
  }
}

function toShape(options: TinyModelOptions): Required<TinyModelOptions> {
  const shape = {
    seed: 1,
    layers: 2,
    hidden: 64,
    heads: 4,
    keyValueHeads: 2,
    feedForward: 192,
    contextTokens: 8192,
    quantisation: 'q8_0' as const,
    vocabularyTokens: 0,
    memoryless: false,
    layersAtWork: Number.POSITIVE_INFINITY,
    ...options,
  }
  const { hidden, heads, keyValueHeads, feedForward } = shape
  if (hidden % 32 !== 0 || feedForward % 32 !== 0) {
    throw new RangeError('Cannot make the model: hidden and feedForward must be multiples of 32')
  }
  if (hidden % heads !== 0 || heads % keyValueHeads !== 0) {
    throw new RangeError('Cannot make the model: heads must divide hidden, and keyValueHeads must divide heads')
  }
  return shape
}

interface Vocabulary {
  readonly tokens: string[]
  /** GGUF token types: 1 normal, 3 control, 4 user defined, 5 unused. */
  readonly types: number[]
  readonly merges: string[]
}

function makeVocabulary(tokensMin: number, fillerType: number): Vocabulary {
  const tokens = byteAlphabet()
  const merges: string[] = []
  for (const word of WORDS) {
    const letters = [...word]
    let left = letters[0] ?? ''
    for (const letter of letters.slice(1)) {
      if (!tokens.includes(left + letter)) {
        tokens.push(left + letter)
        merges.push(`${left} ${letter}`)
      }
      left += letter
    }
  }
  const types = tokens.map(() => 1)
  for (const token of CONTROL_TOKENS) {
    tokens.push(token)
    types.push(3)
  }
  for (const token of USER_DEFINED_TOKENS) {
    tokens.push(token)
    types.push(4)
  }
  for (let index = tokens.length; index < tokensMin; index++) {
    tokens.push(`[unused${index}]`)
    types.push(fillerType)
  }
  return { tokens, types, merges }
}

/** The byte-level alphabet of GPT-2: every byte as a printable character. */
function byteAlphabet(): string[] {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff)
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++))
}

function listTensors(shape: Required<TinyModelOptions>, vocabularyTokens: number): Tensor[] {
  const { hidden, feedForward } = shape
  const keyValue = (hidden / shape.heads) * shape.keyValueHeads
  const tensors: Tensor[] = []
  const weights = (name: string, rowLength: number, rows: number, scale = 2 / Math.sqrt(rowLength)) =>
    tensors.push({ name: `${name}.weight`, shape: [rowLength, rows], kind: 'weights', scale })
  const norm = (name: string, scale: number) =>
    tensors.push({ name: `${name}.weight`, shape: [hidden], kind: 'norm', scale })

  // The embeddings are the output matrix too. Small ones, and a large last norm, keep a token from predicting itself
  // for ever, which is what a random model with large embeddings does.
  weights('token_embd', hidden, vocabularyTokens, 0.02)
  norm('output_norm', 8)
  for (let layer = 0; layer < shape.layers; layer++) {
    norm(`blk.${layer}.attn_norm`, 1)
    weights(`blk.${layer}.attn_q`, hidden, hidden)
    weights(`blk.${layer}.attn_k`, hidden, keyValue)
    weights(`blk.${layer}.attn_v`, hidden, keyValue)
    weights(`blk.${layer}.attn_output`, hidden, hidden, shape.memoryless || layer >= shape.layersAtWork ? 0 : undefined)
    norm(`blk.${layer}.ffn_norm`, 1)
    weights(`blk.${layer}.ffn_gate`, hidden, feedForward)
    weights(`blk.${layer}.ffn_up`, hidden, feedForward)
    weights(`blk.${layer}.ffn_down`, feedForward, hidden, layer >= shape.layersAtWork ? 0 : undefined)
  }
  return tensors
}

function tensorBytes(tensor: Tensor, blockBytes: number): number {
  const weights = tensor.shape.reduce((product, size) => product * size, 1)
  return tensor.kind === 'norm' ? weights * 4 : (weights / 32) * blockBytes
}

function normBytes(tensor: Tensor): Uint8Array {
  const values = Buffer.alloc((tensor.shape[0] ?? 0) * 4)
  for (let at = 0; at < values.length; at += 4) values.writeFloatLE(tensor.scale, at)
  return values
}

/** Blocks of one scale (a 16-bit float) and random integers. Uniform ones serve as well as normal ones, and are fast. */
function weightBytes(
  tensor: Tensor,
  quantisation: (typeof QUANTISATIONS)['q8_0' | 'q4_0'],
  random: () => number,
  vocabulary: Vocabulary,
): Uint8Array {
  const bytes = Buffer.alloc(tensorBytes(tensor, quantisation.blockBytes))
  const words = Math.floor(bytes.length / 4)
  for (let word = 0; word < words; word++) bytes.writeUInt32LE(random(), word * 4)
  for (let at = words * 4; at < bytes.length; at++) bytes[at] = random() & 0xff
  const scale = toFloat16(tensor.scale / quantisation.deviation)
  for (let at = 0; at < bytes.length; at += quantisation.blockBytes) bytes.writeUInt16LE(scale, at)
  if (tensor.name === 'token_embd.weight') {
    // Rows of zeros: control and unused tokens get a score of zero, so they are never the best, and an answer always
    // runs to its limit. Tests rely on that.
    const rowBytes = ((tensor.shape[0] ?? 0) / 32) * quantisation.blockBytes
    for (const [token, type] of vocabulary.types.entries()) {
      if (type === 1) continue
      for (let at = token * rowBytes; at < (token + 1) * rowBytes; at += quantisation.blockBytes) {
        bytes.writeUInt16LE(0, at)
      }
    }
  }
  return bytes
}

/**
 * Integers of four bits reach from -8 to 7. That small bias, summed over a row, makes one token of a large vocabulary the
 * best one always, unless attention varies it; so -8 becomes 0.
 */
function centre(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at++) {
    if (at % QUANTISATIONS.q4_0.blockBytes < 2) continue
    const byte = bytes[at] ?? 0
    bytes[at] = (byte & 0x0f || 0x08) | (byte & 0xf0 || 0x80)
  }
}

/** Zero and positive normal numbers only, which is all that scales are. */
function toFloat16(value: number): number {
  if (value === 0) return 0
  const exponent = Math.floor(Math.log2(value))
  const fraction = Math.round((value / 2 ** exponent - 1) * 1024)
  return ((exponent + 15) << 10) + fraction
}

/** xorshift32. */
function createRandom(seed: number): () => number {
  let state = (seed * 0x9e3779b1) >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state
  }
}

const aligned = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT

/** Little-endian, as GGUF is. A `...Value` or array method writes the value's type before it. */
class GgufWriter {
  readonly #parts: Uint8Array[] = []

  take(): Uint8Array {
    return Buffer.concat(this.#parts)
  }

  bytes(bytes: Uint8Array): void {
    this.#parts.push(bytes)
  }

  uint32(value: number): void {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value)
    this.bytes(bytes)
  }

  uint64(value: number): void {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(BigInt(value))
    this.bytes(bytes)
  }

  string(text: string): void {
    const bytes = Buffer.from(text)
    this.uint64(bytes.length)
    this.bytes(bytes)
  }

  uint32Value(value: number): void {
    this.uint32(4)
    this.uint32(value)
  }

  float32Value(value: number): void {
    this.uint32(6)
    const bytes = Buffer.alloc(4)
    bytes.writeFloatLE(value)
    this.bytes(bytes)
  }

  booleanValue(value: boolean): void {
    this.uint32(7)
    this.bytes(Uint8Array.of(value ? 1 : 0))
  }

  stringValue(text: string): void {
    this.uint32(8)
    this.string(text)
  }

  stringArray(texts: readonly string[]): void {
    this.uint32(9)
    this.uint32(8)
    this.uint64(texts.length)
    for (const text of texts) this.string(text)
  }

  int32Array(values: readonly number[]): void {
    this.uint32(9)
    this.uint32(5)
    this.uint64(values.length)
    this.bytes(new Uint8Array(Int32Array.from(values).buffer))
  }
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: 'string', default: '1' },
      quantisation: { type: 'string', default: 'q8_0' },
      'half-billion': { type: 'boolean', default: false },
    },
  })
  const [path] = positionals
  const { quantisation } = values
  if (path === undefined || (quantisation !== 'q8_0' && quantisation !== 'q4_0')) {
    console.error('Usage: node scripts/tiny-model.ts FILE [--seed N] [--quantisation q8_0|q4_0] [--half-billion]')
    process.exitCode = 2
  } else {
    const shape = values['half-billion'] ? HALF_BILLION : {}
    const bytes = await writeTinyModel(path, { ...shape, seed: Number(values.seed), quantisation })
    console.log(`${path}: ${bytes} bytes`)
  }
}
