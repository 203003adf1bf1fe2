import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { createProgress, formatBytes } from './progress.mjs'

// A host that cannot be reached is given up after seconds, so that the next source gets its turn.
const CONNECT_TIMEOUT_MS = 5000
const SILENCE_TIMEOUT_MS = 15_000
// The archive is 7 MB; a server that sends without end must not fill the disk.
const BYTES_MAX = 256 * 1024 * 1024

/**
 * Downloads a file, showing progress, and gives back the SHA-256 of what was written. Throws an Error whose message
 * says why it did not arrive; what had arrived is then still in the file, which must not be taken for whole.
 * @param {string} url
 * @param {string} file
 * @param {{ connectTimeoutMs?: number, silenceTimeoutMs?: number }} [limits]
 * @returns {Promise<string>} hexadecimal
 */
export async function downloadFile(url, file, limits = {}) {
  const hash = createHash('sha256')
  const out = createWriteStream(file, { flags: 'wx' })
  try {
    await once(out, 'open')
    await receive(url, limits, async (chunk) => {
      hash.update(chunk)
      if (!out.write(chunk)) await once(out, 'drain')
    })
  } finally {
    out.end()
    await once(out, 'close')
  }
  return hash.digest('hex')
}

/**
 * @param {string} url
 * @param {{ connectTimeoutMs?: number, silenceTimeoutMs?: number }} [limits]
 * @returns {Promise<string>}
 */
export async function downloadText(url, limits = {}) {
  /** @type {Uint8Array[]} */
  const chunks = []
  await receive(url, limits, async (chunk) => {
    chunks.push(chunk)
  })
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * @param {string} url
 * @param {{ connectTimeoutMs?: number, silenceTimeoutMs?: number }} limits
 * @param {(chunk: Uint8Array) => Promise<void>} onChunk
 */
async function receive(url, limits, onChunk) {
  const { connectTimeoutMs = CONNECT_TIMEOUT_MS, silenceTimeoutMs = SILENCE_TIMEOUT_MS } = limits
  const abort = new AbortController()
  /** @param {number} ms @param {string} what */
  const giveUpAfter = (ms, what) => setTimeout(() => abort.abort(new Error(`${what} for ${ms / 1000} s`)), ms)
  let timer = giveUpAfter(connectTimeoutMs, 'no answer')
  const progress = createProgress(`Downloading ${new URL(url).pathname.split('/').at(-1)}`)
  try {
    const response = await fetch(url, { signal: abort.signal, redirect: 'follow' })
    if (!response.ok) throw new Error(`HTTP status ${response.status}`)
    if (response.body === null) throw new Error('an empty answer')
    const total = Number(response.headers.get('content-length') ?? 0)
    let received = 0
    for await (const chunk of response.body) {
      clearTimeout(timer)
      timer = giveUpAfter(silenceTimeoutMs, 'no data')
      received += chunk.byteLength
      if (received > BYTES_MAX) throw new Error(`more than ${formatBytes(BYTES_MAX)}`)
      await onChunk(chunk)
      const share = total > 0 ? ` of ${formatBytes(total)} (${Math.floor((received / total) * 100)}%)` : ''
      progress.update(`${formatBytes(received)}${share}`)
    }
    if (total > 0 && received < total) throw new Error(`${received} of ${total} bytes arrived`)
  } catch (error) {
    throw new Error(`cannot download ${url}: ${reason(error)}`, { cause: error })
  } finally {
    clearTimeout(timer)
    progress.done()
  }
}

/**
 * fetch says "fetch failed" and keeps the reason in its cause.
 * @param {unknown} error
 * @returns {string}
 */
function reason(error) {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? reason(error.cause) : error.message
}
