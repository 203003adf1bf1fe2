/**
 * The distribution's name and release, from the text of /etc/os-release. Undefined where it is neither Debian nor
 * Ubuntu, nor derived from one of them in a way that keeps their archive.
 * @param {string} osRelease
 * @returns {{ distribution: 'debian' | 'ubuntu', codename: string } | undefined}
 */
export function parseOsRelease(osRelease) {
  /** @type {Map<string, string>} */
  const fields = new Map()
  for (const line of osRelease.split('\n')) {
    const match = /^([A-Z_]+)=(?:"([^"]*)"|'([^']*)'|(.*))$/.exec(line.trim())
    if (match) fields.set(match[1] ?? '', match[2] ?? match[3] ?? match[4] ?? '')
  }
  const names = [fields.get('ID') ?? '', ...(fields.get('ID_LIKE') ?? '').split(/\s+/)]
  if (names.includes('ubuntu')) {
    return { distribution: 'ubuntu', codename: fields.get('UBUNTU_CODENAME') ?? fields.get('VERSION_CODENAME') ?? '' }
  }
  if (!names.includes('debian')) return undefined
  return { distribution: 'debian', codename: fields.get('DEBIAN_CODENAME') ?? fields.get('VERSION_CODENAME') ?? '' }
}

/**
 * The suites to look in, newest first, and the component that holds nats-server there. `sid` and `devel` always name
 * the newest; the release behind each has 2.10, should the newest be unreadable for an old apt.
 */
export const newerSuites = {
  debian: { suites: ['sid', 'trixie'], components: 'main' },
  ubuntu: { suites: ['devel', 'noble'], components: 'universe' },
}

/**
 * A source (in apt's deb822 form) for another suite of the very archive that a machine uses: its own address and its
 * own keys, so that mirrors and signature checks stay what they are. Undefined where `text`, one of the machine's
 * source files, has no entry for `codename`.
 * @param {string} text
 * @param {string} codename the release that is installed, which tells the distribution's archive from other sources
 * @param {string} suite
 * @param {string} components
 */
export function toSuiteSource(text, codename, suite, components) {
  for (const entry of [...parseDeb822(text), ...parseOneLine(text)]) {
    if (!entry.suites.includes(codename)) continue
    const signedBy = entry.signedBy === undefined ? '' : `Signed-By:${entry.signedBy}\n`
    return `Types: deb\nURIs: ${entry.uris}\nSuites: ${suite}\nComponents: ${components}\n${signedBy}`
  }
  return undefined
}

/** @typedef {{ uris: string, suites: string[], signedBy: string | undefined }} SourceEntry */

/**
 * @param {string} text
 * @returns {SourceEntry[]}
 */
function parseDeb822(text) {
  const stanzas = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .split(/\n\s*\n/)
  return stanzas.flatMap((stanza) => {
    /** @type {Map<string, string>} */
    const fields = new Map()
    // A line that begins with a blank goes on with the field above: a key may stand in the file itself.
    for (const field of stanza.split(/\n(?!\s)/)) {
      const colon = field.indexOf(':')
      if (colon > 0) fields.set(field.slice(0, colon).trim().toLowerCase(), field.slice(colon + 1).trimEnd())
    }
    const types = words(fields.get('types'))
    const uris = words(fields.get('uris'))
    if (!types.includes('deb') || uris.length === 0 || fields.get('enabled')?.trim().toLowerCase() === 'no') return []
    return [{ uris: uris.join(' '), suites: words(fields.get('suites')), signedBy: fields.get('signed-by') }]
  })
}

/**
 * @param {string} text
 * @returns {SourceEntry[]}
 */
function parseOneLine(text) {
  return text.split('\n').flatMap((line) => {
    const match = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+\S/.exec(line.trim())
    if (!match) return []
    const signedBy = /(?:^|\s)signed-by=(\S+)/.exec(match[1] ?? '')?.[1]
    return [
      { uris: match[2] ?? '', suites: [match[3] ?? ''], signedBy: signedBy === undefined ? undefined : ` ${signedBy}` },
    ]
  })
}

/** @param {string | undefined} value */
function words(value) {
  return (value ?? '').split(/\s+/).filter((word) => word !== '')
}
