/** Deeper than any document that people keep by hand; far less than what overflows a stack. */
const DEPTH_MAX = 100

export type JsonDocument = { readonly value: unknown } | { readonly fault: string }

/**
 * Reads JSON that is to be written again: a fault where a parser would take the text but not give all of it back. Of
 * two equal keys, which a merge can leave behind, a parser keeps the last and drops the other without a word.
 */
export function readJsonDocument(text: string): JsonDocument {
  const plain = text.replace(/^\uFEFF/, '')
  let value: unknown
  try {
    value = JSON.parse(plain)
  } catch (cause) {
    const place = /\(line (\d+) column (\d+)\)/.exec(cause instanceof Error ? cause.message : '')
    return { fault: `not valid JSON${place === null ? '' : ` at line ${place[1]}, column ${place[2]}`}` }
  }
  const keys = countKeys(value)
  if (keys === null) return { fault: `nested more than ${DEPTH_MAX} levels deep` }
  if (keys !== countKeyTokens(plain)) return { fault: 'it has the same key twice in one object' }
  return { value }
}

/** Keys of all objects inside, or null where it is too deep. */
function countKeys(root: unknown): number | null {
  let keys = 0
  let level: unknown[] = [root]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_MAX) return null
    const below: unknown[] = []
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue
      const inside: unknown[] = Object.values(value)
      if (!Array.isArray(value)) keys += inside.length
      for (const each of inside) below.push(each)
    }
    level = below
  }
  return keys
}

/** Texts of valid JSON that a colon follows. */
function countKeyTokens(json: string): number {
  let count = 0
  for (const [, colon] of json.matchAll(/"(?:[^"\\]|\\.)*"\s*(:)?/g)) if (colon !== undefined) count++
  return count
}
