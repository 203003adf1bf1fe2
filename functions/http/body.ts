import { isJsonContentType } from '@modelcontextprotocol/server'
import { AppError } from '#shared/errors.ts'
import { BODY_BYTES_MAX } from '#shared/protocol/limits.ts'

/** Levels of arrays and objects: no tool takes more than four, and recursive code behind us must never run out of stack. */
const DEPTH_MAX = 64

function tooLarge(bytes: string, bytesMax = BODY_BYTES_MAX): AppError {
  return new AppError('too_large', `Cannot read the body: ${bytes} bytes, limit ${bytesMax}`, {
    hint: 'Send less at once',
  })
}

/** Refuses a body that says of itself that it is over the limit. */
export function checkDeclaredLength(headers: Headers): void {
  const declared = headers.get('content-length')
  if (declared !== null && !(Number(declared) <= BODY_BYTES_MAX)) throw tooLarge(declared.slice(0, 20))
}

/** Why a body is not one that we read, or undefined. Compressed ones: a few bytes can become gigabytes. */
export function unsupportedMedia(headers: Headers): string | undefined {
  if (!isJsonContentType(headers.get('content-type')))
    return 'Cannot read the body: Content-Type is not application/json'
  const encoding = headers.get('content-encoding')
  if (encoding !== null && encoding !== 'identity') return 'Cannot read the body: it is compressed'
  return undefined
}

/** Reads a body, counting while it arrives: what is over the limit is refused without being held. */
export async function readBody(request: Request, bytesMax = BODY_BYTES_MAX): Promise<Uint8Array> {
  // The HTTP parser holds a declared length to its word; reading at once spares Node a web stream.
  const declared = request.headers.get('content-length')
  if (declared !== null && !request.headers.has('transfer-encoding')) {
    if (!(Number(declared) <= bytesMax)) throw tooLarge(declared.slice(0, 20), bytesMax)
    return new Uint8Array(await request.arrayBuffer())
  }
  if (request.body === null) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let bytes = 0
  const reader = request.body.getReader()
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    bytes += part.value.byteLength
    if (bytes > bytesMax) {
      void reader.cancel().catch(() => undefined)
      throw tooLarge(`over ${bytesMax}`, bytesMax)
    }
    chunks.push(part.value)
  }
  const whole = new Uint8Array(bytes)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.byteLength
  }
  return whole
}

const decoder = new TextDecoder('utf-8', { fatal: true })

type ParsedJson = { ok: true; value: unknown } | { ok: false; problem: 'not_json' | 'too_deep' }

/**
 * Parses JSON once, for everybody behind: the last of duplicate keys wins, everywhere the same. Bytes that are no UTF-8
 * are no JSON.
 */
export function parseJson(bytes: Uint8Array): ParsedJson {
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(bytes))
  } catch {
    return { ok: false, problem: 'not_json' }
  }
  return isDeeperThan(value, DEPTH_MAX) ? { ok: false, problem: 'too_deep' } : { ok: true, value }
}

/** Level by level and not recursive: JSON.parse itself takes a million levels. */
function isDeeperThan(value: unknown, levels: number): boolean {
  let level: object[] = isContainer(value) ? [value] : []
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > levels) return true
    const next: object[] = []
    for (const container of level) {
      for (const child of Object.values(container)) if (isContainer(child)) next.push(child)
    }
    level = next
  }
  return false
}

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null
