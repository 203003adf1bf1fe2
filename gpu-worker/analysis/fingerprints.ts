/**
 * A copy worth naming: SonarQube's definition for most languages, "at least 100 successive and duplicated tokens, spread
 * over at least 10 lines".
 */
export const COPY_TOKENS_MIN = 100
export const COPY_LINES_MIN = 10

/** Tokens that one fingerprint covers. */
const GRAM_TOKENS = 50
const WINDOW = COPY_TOKENS_MIN - GRAM_TOKENS + 1
const BASE = 0x01000193

/** Hashes of runs of tokens, and the index of each run's first token. */
export interface Fingerprints {
  readonly values: Uint32Array
  readonly positions: Uint32Array
}

/**
 * Winnowing (Schleimer, Wilkerson, Aiken: "Winnowing: Local Algorithms for Document Fingerprinting", 2003): of every
 * 51 neighbouring runs of 50 tokens the one with the least hash. Two texts that share 100 tokens share a fingerprint; one
 * is kept for about 26 tokens.
 */
export function fingerprintsOf(tokens: Uint32Array): Fingerprints {
  const grams = gramHashes(tokens)
  const values: number[] = []
  const positions: number[] = []
  let least = -1
  for (let end = WINDOW; end <= grams.length; end++) {
    const begin = end - WINDOW
    const next = least < begin ? leastIn(grams, begin, end) : end - 1
    if (least >= begin && (grams[next] ?? 0) > (grams[least] ?? 0)) continue
    least = next
    values.push(grams[least] ?? 0)
    positions.push(least)
  }
  return { values: Uint32Array.from(values), positions: Uint32Array.from(positions) }
}

/** The last of the least, so that a run of equal tokens is fingerprinted seldom. */
function leastIn(grams: Uint32Array, begin: number, end: number): number {
  let least = begin
  for (let at = begin + 1; at < end; at++) if ((grams[at] ?? 0) <= (grams[least] ?? 0)) least = at
  return least
}

/** A rolling hash, mixed, so that the least of several is no particular kind of code. */
function gramHashes(tokens: Uint32Array): Uint32Array {
  const count = Math.max(0, tokens.length - GRAM_TOKENS + 1)
  const grams = new Uint32Array(count)
  let leaving = 1
  for (let index = 1; index < GRAM_TOKENS; index++) leaving = Math.imul(leaving, BASE)
  let hash = 0
  for (let index = 0; index < tokens.length; index++) {
    const first = index - GRAM_TOKENS
    if (first >= 0) hash = (hash - Math.imul(tokens[first] ?? 0, leaving)) | 0
    hash = (Math.imul(hash, BASE) + (tokens[index] ?? 0)) | 0
    if (first >= -1) grams[first + 1] = mix(hash)
  }
  return grams
}

/** The finaliser of MurmurHash3. */
function mix(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
