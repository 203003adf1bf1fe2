import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { downloadFile, downloadText } from './download.mjs'
import { outputLines, runCommand } from './run-command.mjs'
import { NATS_VERSION_PINNED } from './versions.mjs'

export const NATS_RELEASES = 'https://github.com/nats-io/nats-server/releases/download'

/** Node's names for platforms and processors, and those of the releases. */
const platforms = new Map([
  ['linux', 'linux'],
  ['darwin', 'darwin'],
  ['freebsd', 'freebsd'],
])
const processors = new Map([
  ['x64', 'amd64'],
  ['arm64', 'arm64'],
  ['arm', 'arm7'],
  ['ia32', '386'],
  ['ppc64', 'ppc64le'],
  ['s390x', 's390x'],
])

/**
 * Downloads the pinned release, and unpacks it when its SHA-256 is the published one. Throws an Error whose message
 * says why there is none; `folder` may then hold anything.
 * @param {string} folder an empty folder of our own
 * @param {object} [options]
 * @param {string} [options.base] where the releases lie: a mirror, perhaps
 * @param {string} [options.platform]
 * @param {string} [options.arch]
 * @param {number} [options.connectTimeoutMs]
 * @returns {Promise<string>} the path of the binary below `folder`
 */
export async function downloadRelease(folder, options = {}) {
  const { base = NATS_RELEASES, platform = process.platform, arch = process.arch, ...limits } = options
  const system = platforms.get(platform)
  const processor = processors.get(arch)
  if (system === undefined || processor === undefined) throw new Error(`no release for ${platform} ${arch}`)
  const tag = `v${NATS_VERSION_PINNED}`
  const name = `nats-server-${tag}-${system}-${processor}`
  const archive = `${name}.tar.gz`

  const sums = await downloadText(`${base}/${tag}/SHA256SUMS`, limits)
  const expected = findChecksum(sums, archive)
  if (expected === undefined) throw new Error(`SHA256SUMS does not name ${archive}`)
  mkdirSync(folder, { recursive: true })
  const file = join(folder, archive)
  const actual = await downloadFile(`${base}/${tag}/${archive}`, file, limits)
  if (actual !== expected) throw new Error(`${archive} has the SHA-256 ${actual}, published is ${expected}`)

  const member = `${name}/nats-server`
  const unpacked = await runCommand('tar', ['-xzf', file, '-C', folder, member], { timeoutMs: 60_000 })
  if (!unpacked.ok) throw new Error(`tar: ${unpacked.problem}: ${outputLines(unpacked.output).join(' ')}`)
  return join(folder, member)
}

/**
 * @param {string} sums lines of a hash, blanks (an asterisk where read as binary) and a file name
 * @param {string} name
 */
export function findChecksum(sums, name) {
  for (const line of sums.split('\n')) {
    const match = /^([0-9a-f]{64})\s+\*?(.+)$/i.exec(line.trim())
    if (match?.[2] === name) return match[1]?.toLowerCase()
  }
  return undefined
}
