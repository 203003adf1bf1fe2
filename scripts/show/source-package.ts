import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseOsRelease, toSuiteSource } from '../setup/apt-sources.mjs'
import { outputLines, runCommand } from '../setup/run-command.mjs'

const UPDATE_TIMEOUT_MS = 180_000
const DOWNLOAD_TIMEOUT_MS = 120_000
const UNPACK_TIMEOUT_MS = 60_000
const SOURCES_FOLDER = '/etc/apt/sources.list.d'

/**
 * Unpacks the upstream source of a package of the machine's own Debian or Ubuntu archive into `target`, with apt's signature
 * checks and without touching the system: lists, cache and sources all lie in `folder`. No root rights are needed. Rejects with
 * an Error whose message says why there is none.
 */
export async function unpackSource(packageName: string, folder: string, target: string): Promise<void> {
  for (const name of ['sources', 'lists/partial', 'cache/archives/partial', 'download']) {
    mkdirSync(join(folder, name), { recursive: true })
  }
  writeFileSync(join(folder, 'sources', 'millwright.sources'), findSource())
  const download = join(folder, 'download')
  await runApt(folder, ['update'], folder, UPDATE_TIMEOUT_MS)
  await runApt(
    folder,
    ['source', '--tar-only', '--download-only', '--only-source', packageName],
    download,
    DOWNLOAD_TIMEOUT_MS,
  )
  const archive = readdirSync(download).find((name) => /\.orig\.tar\.\w+$/.test(name))
  if (archive === undefined) throw new Error(`Cannot unpack ${packageName}: the archive has no upstream source of it`)
  mkdirSync(target, { recursive: true })
  const args = ['-xf', join(download, archive), '-C', target, '--strip-components=1', '--no-same-owner']
  const unpacked = await runCommand('tar', args, { timeoutMs: UNPACK_TIMEOUT_MS })
  if (!unpacked.ok) throw new Error(`Cannot unpack ${archive}: ${unpacked.problem}`)
}

/** The release that is installed, from the machine's own source files, as a source of source packages. */
function findSource(): string {
  const system = parseOsRelease(readFileSync('/etc/os-release', 'utf8'))
  if (system === undefined) throw new Error('Cannot fetch a source package: this is neither Debian nor Ubuntu')
  const files = ['/etc/apt/sources.list', ...list(SOURCES_FOLDER).map((name) => join(SOURCES_FOLDER, name))]
  const components = system.distribution === 'debian' ? 'main' : 'main universe'
  const source = files
    .filter((file) => /\.(?:list|sources)$/.test(file))
    .map((file) => toSuiteSource(readIfAny(file), system.codename, system.codename, components))
    .find((each) => each !== undefined)
  if (source === undefined) throw new Error(`Cannot fetch a source package: apt has no source for "${system.codename}"`)
  return source.replace('Types: deb\n', 'Types: deb-src\n')
}

async function runApt(folder: string, args: string[], cwd: string, timeoutMs: number): Promise<void> {
  const options = {
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': join(folder, 'sources'),
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::Cache': join(folder, 'cache'),
    'Acquire::Languages': 'none',
    'APT::Update::Error-Mode': 'any',
    'Acquire::AllowInsecureRepositories': 'false',
    'APT::Get::AllowUnauthenticated': 'false',
    // As root apt downloads as a user that may not be able to read a folder of ours.
    ...(process.getuid?.() === 0 ? { 'APT::Sandbox::User': 'root' } : {}),
  }
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' }
  const ran = await runCommand('apt-get', [...flags, '-q', ...args], { cwd, env, timeoutMs })
  if (ran.ok) return
  const errors = outputLines(ran.output).filter((line) => /^[EW]:/.test(line))
  throw new Error(`apt-get ${args[0]}: ${ran.problem}: ${errors.slice(0, 3).join(' ').slice(0, 400)}`)
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

function readIfAny(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
