import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newerSuites, parseOsRelease, toSuiteSource } from './apt-sources.mjs'
import { outputLines, runCommand } from './run-command.mjs'

// An index of 11 MB and a package of 5 MB; a slow line still gets its chance, a dead one ends by apt's own time-outs.
const UPDATE_TIMEOUT_MS = 180_000
const DOWNLOAD_TIMEOUT_MS = 120_000

/**
 * Takes nats-server out of a newer suite of the machine's own archive; see `downloadPackage`.
 * @param {string} folder an empty folder of our own
 * @returns {Promise<string>} the path of the binary below `folder`
 */
export async function downloadWithApt(folder) {
  return downloadPackage(folder, 'nats-server', 'usr/sbin/nats-server', ({ distribution }) => newerSuites[distribution])
}

/** @typedef {{ distribution: 'debian' | 'ubuntu', codename: string }} System */

/**
 * Takes a program out of the machine's own Debian or Ubuntu archive, with apt's signature checks and without touching the
 * system: lists, cache and sources all lie in `folder`. No root rights are needed. Throws an Error whose message says why
 * there is none.
 * @param {string} folder an empty folder of our own
 * @param {string} packageName
 * @param {string} file the program in the package
 * @param {(system: System) => { suites: string[], components: string }} place where to look for it, in this order
 * @returns {Promise<string>} the path of the program below `folder`
 */
export async function downloadPackage(folder, packageName, file, place) {
  const system = parseOsRelease(readText('/etc/os-release'))
  if (system === undefined) throw new Error('this is neither Debian nor Ubuntu')
  const { suites, components } = place(system)
  const files = [
    '/etc/apt/sources.list',
    ...list('/etc/apt/sources.list.d').map((name) => `/etc/apt/sources.list.d/${name}`),
  ]
  const texts = files.filter((each) => /\.(list|sources)$/.test(each)).map(readText)
  const problems = []
  for (const suite of suites) {
    const source = texts.map((text) => toSuiteSource(text, system.codename, suite, components)).find(Boolean)
    if (source === undefined)
      throw new Error(`apt has no source for ${system.distribution} "${system.codename}" to go by`)
    try {
      return join(await downloadFromSuite(join(folder, suite), source, packageName), file)
    } catch (error) {
      problems.push(`${suite}: ${error instanceof Error ? error.message : error}`)
    }
  }
  throw new Error(problems.join('; '))
}

/**
 * @param {string} folder
 * @param {string} source
 * @param {string} packageName
 * @returns {Promise<string>} the folder into which the package was unpacked
 */
async function downloadFromSuite(folder, source, packageName) {
  for (const name of ['sources', 'lists/partial', 'cache/archives/partial', 'package']) {
    mkdirSync(join(folder, name), { recursive: true })
  }
  writeFileSync(join(folder, 'sources', 'millwright.sources'), source)
  const options = {
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': join(folder, 'sources'),
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::Cache': join(folder, 'cache'),
    'Acquire::Languages': 'none',
    // An archive that cannot be reached is given up after seconds, and is an error, not apt's usual warning.
    'Acquire::Retries': '0',
    'Acquire::http::Timeout': '5',
    'Acquire::https::Timeout': '5',
    'APT::Update::Error-Mode': 'any',
    // What apt does by default, whatever the machine's own configuration says.
    'Acquire::AllowInsecureRepositories': 'false',
    'Acquire::AllowWeakRepositories': 'false',
    'APT::Get::AllowUnauthenticated': 'false',
    // As root apt downloads as the user _apt, which may not be able to read a folder of ours.
    ...(process.getuid?.() === 0 ? { 'APT::Sandbox::User': 'root' } : {}),
  }
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' }

  const updated = await runCommand('apt-get', [...flags, '-q', 'update'], {
    env,
    timeoutMs: UPDATE_TIMEOUT_MS,
    label: 'Reading the package list',
  })
  if (!updated.ok) throw new Error(`apt-get update: ${updated.problem}: ${complaint(updated.output)}`)
  const downloaded = await runCommand('apt-get', [...flags, '-q', 'download', packageName], {
    cwd: join(folder, 'package'),
    env,
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
    label: `Downloading ${packageName}`,
  })
  const archive = list(join(folder, 'package')).find((name) => name.endsWith('.deb'))
  if (!downloaded.ok || archive === undefined) {
    throw new Error(`apt-get download: ${complaint(`${updated.output}\n${downloaded.output}`) || downloaded.problem}`)
  }
  const root = join(folder, 'root')
  const unpacked = await runCommand('dpkg-deb', ['-x', join(folder, 'package', archive), root], { timeoutMs: 60_000 })
  if (!unpacked.ok) throw new Error(`dpkg-deb: ${unpacked.problem}: ${complaint(unpacked.output)}`)
  return root
}

/**
 * apt's own errors, in one line.
 * @param {string} output
 */
function complaint(output) {
  const lines = outputLines(output)
  const errors = lines.filter((line) => /^[EW]:/.test(line))
  return (errors.length > 0 ? errors : lines.slice(-2)).slice(0, 3).join(' ').slice(0, 400)
}

/** @param {string} file */
function readText(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** @param {string} folder */
function list(folder) {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}
