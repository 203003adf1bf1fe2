import type { SourceTokens } from '../ports/source-parser.ts'
import { COPY_LINES_MIN, COPY_TOKENS_MIN, type Fingerprints } from './fingerprints.ts'

/** A stretch of a text that stands in another one too, or twice in the same. Lines count from 1. */
export interface Copy {
  readonly line: number
  readonly endLine: number
  readonly otherLine: number
  readonly otherEndLine: number
  readonly tokens: number
}

/** One of the two texts: its tokens, and what was kept of them. */
export interface Side {
  readonly tokens: SourceTokens
  readonly fingerprints: Fingerprints
}

/** Fewer different tokens than this are a table of data, not code. */
const DISTINCT_TOKENS_MIN = 15
/** Starts that are followed up in one pair of texts. Ordinary copies of 10,000 lines have fewer. */
const STARTS_MAX = 5000
/** Places of one fingerprint: what occurs more often is data. */
const PLACES_MAX = 8

/** The positions of each fingerprint. */
export function placesOf({ values, positions }: Fingerprints): ReadonlyMap<number, readonly number[]> {
  const places = new Map<number, number[]>()
  for (const [index, value] of values.entries()) {
    const known = places.get(value)
    if (known === undefined) places.set(value, [positions[index] ?? 0])
    else if (known.length < PLACES_MAX) known.push(positions[index] ?? 0)
  }
  return places
}

/** The longest copies that two texts share; of one text with itself, those that do not overlap. */
export function findCopies(one: Side, other: Side): Copy[] {
  const copies: Copy[] = []
  /** By diagonal: how far of it has been looked at. */
  const done = new Map<number, number>()
  for (const [start, otherStart] of startsOf(one, other)) {
    const shift = otherStart - start
    if (start < (done.get(shift) ?? 0)) continue
    const [from, to] = stretch(one.tokens.hashes, other.tokens.hashes, start, shift, one === other)
    done.set(shift, Math.max(to, start + 1))
    const copy = toCopy(one.tokens, other.tokens, from, to, shift)
    if (copy !== null) copies.push(copy)
  }
  return copies
}

/** Pairs of positions at which the two have the same fingerprint, in order of the first. */
function startsOf(one: Side, other: Side): [number, number][] {
  const places = placesOf(other.fingerprints)
  const starts: [number, number][] = []
  const { values, positions } = one.fingerprints
  for (const [index, value] of values.entries()) {
    const position = positions[index] ?? 0
    for (const place of places.get(value) ?? []) if (one !== other || place > position) starts.push([position, place])
    if (starts.length >= STARTS_MAX) break
  }
  return starts
}

/** How far to both sides of `start` the tokens are the same: first, and behind the last. */
function stretch(
  one: Uint32Array,
  other: Uint32Array,
  start: number,
  shift: number,
  isSame: boolean,
): [number, number] {
  let from = start
  while (from > 0 && from + shift > 0 && one[from - 1] === other[from - 1 + shift]) from--
  let to = start
  while (to < one.length && to + shift < other.length && one[to] === other[to + shift]) to++
  return [from, isSame ? Math.min(to, from + shift) : to]
}

function toCopy(one: SourceTokens, other: SourceTokens, from: number, to: number, shift: number): Copy | null {
  if (to - from < COPY_TOKENS_MIN) return null
  const line = one.lines[from] ?? 1
  const endLine = one.lines[to - 1] ?? line
  const otherLine = other.lines[from + shift] ?? 1
  const otherEndLine = other.lines[to - 1 + shift] ?? otherLine
  if (endLine - line + 1 < COPY_LINES_MIN || otherEndLine - otherLine + 1 < COPY_LINES_MIN) return null
  if (new Set(one.hashes.subarray(from, to)).size < DISTINCT_TOKENS_MIN) return null
  return { line, endLine, otherLine, otherEndLine, tokens: to - from }
}
