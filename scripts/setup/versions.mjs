/** The oldest Node that has `node:sqlite` without a flag. */
export const NODE_VERSION_MIN = '22.13.0'
/** The Node that is brought where the one found is older. One exact version, so that every machine runs the same. */
export const NODE_VERSION_PINNED = '24.21.0'
/** 2.9 wedges JetStream silently on a full disk and has no `sync_interval`. */
export const NATS_VERSION_MIN = '2.10.0'
export const NATS_VERSION_PINNED = '2.15.1'

/**
 * The three numbers of a version, read from text like `v22.13.0` or `nats-server: v2.15.1`.
 * @param {string} text
 * @returns {[number, number, number] | undefined}
 */
export function parseVersion(text) {
  const match = /(\d+)\.(\d+)\.(\d+)/.exec(text)
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])]
}

/**
 * Whether one version is at least another. Text without a version is never at least anything.
 * @param {string} text
 * @param {string} minimum
 */
export function isAtLeast(text, minimum) {
  const version = parseVersion(text)
  const least = parseVersion(minimum)
  if (version === undefined || least === undefined) return false
  for (const [index, number] of version.entries()) {
    const other = least[index] ?? 0
    if (number !== other) return number > other
  }
  return true
}

/**
 * Whether a Node has what Millwright needs: `node:sqlite` without a flag. The 23 line got it in 23.4.
 * @param {string} version
 */
export function isCurrentNode(version) {
  return isAtLeast(version, parseVersion(version)?.[0] === 23 ? '23.4.0' : NODE_VERSION_MIN)
}

/**
 * What must stand in NODE_OPTIONS for a Node to run our TypeScript without a word. It strips types unasked from
 * 22.18 and 23.6; older ones need the flag. Stripping and SQLite were "experimental" for long, and said so each time.
 * @param {string} version
 * @returns {string[]}
 */
export function nodeOptionsFor(version) {
  const strips = isAtLeast(version, parseVersion(version)?.[0] === 23 ? '23.6.0' : '22.18.0')
  return [...(strips ? [] : ['--experimental-strip-types']), '--disable-warning=ExperimentalWarning']
}
