import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { basename, delimiter, dirname, isAbsolute, join, relative } from 'node:path'
import { isExecutable } from './bubblewrap-probe.ts'

/** What a sandbox shows of the programs that an operator's own search path gives, beside those of the system. */
export interface ToolFolders {
  /** Installations, whose `bin` is searched for programs. */
  readonly programs: readonly string[]
  /** Shown and not searched: other versions, which a `.venv` may lead to, and packages that were fetched before. */
  readonly others: readonly string[]
  /** In these: configuration that may hold tokens of registries. Shown empty. */
  readonly masked: readonly { readonly path: string; readonly kind: 'file' | 'folder' }[]
  readonly environment: Readonly<Record<string, string>>
}

export interface ToolFoldersOptions {
  /** The operator's, never the repository's. */
  readonly searchPath: string
  readonly home: string
  /** Of the operator; `PYENV_ROOT` and the like are looked up in it. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The repository: what lies in it is its own, and no program of the operator. */
  readonly root: string
}

export const noToolFolders: ToolFolders = { programs: [], others: [], masked: [], environment: {} }

/** Which programs people install for themselves, and how to tell that a folder is the installation of one and nothing else. */
const INSTALLATIONS: readonly { readonly names: readonly string[]; readonly isAt: (folder: string) => boolean }[] = [
  { names: ['python3', 'python'], isAt: isPython },
  {
    names: ['node'],
    isAt: (folder) => existsSync(join(folder, 'include/node/node_version.h')) || isNodePackage(folder),
  },
  { names: ['go'], isAt: (folder) => existsSync(join(folder, 'VERSION')) && existsSync(join(folder, 'src/runtime')) },
  { names: ['cargo'], isAt: (folder) => existsSync(join(folder, 'lib/rustlib')) },
]
/** Shown anyway. */
const SYSTEM = ['/usr', '/bin', '/sbin', '/nix/store', '/gnu/store', '/run/current-system/sw']
const VERSIONS_MAX = 40

/**
 * Finds the installations of Python, Node, Go and Rust that an operator's search path leads to, also through the shims of
 * pyenv and rustup, so that tests run with the programs that a person would run them with. Nothing of it is chosen by the
 * repository, no program is run, and a folder that is not plainly an installation (a home, `~/.local`) is left out.
 */
export function findToolFolders(options: ToolFoldersOptions): ToolFolders {
  const { home, root } = options
  const programs: string[] = []
  for (const { names, isAt } of INSTALLATIONS) {
    const found = findProgram(names, options)
    if (found !== null)
      programs.push(...installationsOf(found, options).filter((folder) => isVenv(folder) || isAt(folder)))
  }
  // Programs may be unpacked over `~/.local`, where keyrings and histories lie too.
  const isUsable = (folder: string): boolean =>
    !SYSTEM.some((each) => isWithin(folder, each)) &&
    ![root, home, join(home, '.local/share'), join(home, '.config')].some((each) => isWithin(each, folder))
  const searched = [...new Set(programs)].filter(isUsable)
  const versions = pythonStores(options)
    .flatMap((store) => children(store))
    .filter((each) => isPython(each))
  const { folders: fetched, environment } = fetchedPackages(options)
  const others = [...new Set([...versions.slice(0, VERSIONS_MAX), ...fetched])]
    .filter(isUsable)
    .filter((each) => !searched.includes(each))
  return { programs: searched, others, masked: [...searched, ...others].flatMap(configurationIn), environment }
}

/** The first on the search path, as a shell finds it. */
function findProgram(names: readonly string[], { searchPath, root }: ToolFoldersOptions): string | null {
  for (const name of names) {
    for (const folder of searchPath.split(delimiter)) {
      if (!isAbsolute(folder) || isWithin(folder, root)) continue
      const place = join(folder, name)
      if (isExecutable(place)) return place
    }
  }
  return null
}

/** Where a program is installed, nearest first: a virtual environment is one beside the Python that it was made of. */
function installationsOf(program: string, options: ToolFoldersOptions): string[] {
  const { home, environment } = options
  if (basename(dirname(program)) === 'shims') {
    const manager = dirname(dirname(program))
    return versionsOf(manager, environment.PYENV_VERSION).map((version) => join(manager, 'versions', version))
  }
  const real = realpathSync(program)
  if (basename(real) === 'rustup') return rustToolchain(environment.RUSTUP_HOME ?? join(home, '.rustup'))
  const link = dirname(dirname(program))
  return [...(isVenv(link) ? [link] : []), ...(basename(dirname(real)) === 'bin' ? [dirname(dirname(real))] : [])]
}

/** What pyenv's `version` file, or its variable, names. */
function versionsOf(manager: string, named: string | undefined): string[] {
  const text = named ?? readText(join(manager, 'version'))
  return text.split(/[\s:]+/).filter((version) => /^[\w.+-]+$/.test(version) && !version.startsWith('.'))
}

/** The folder of rustup's default toolchain. */
function rustToolchain(home: string): string[] {
  const name = /^default_toolchain = "([\w.-]+)"$/m.exec(readText(join(home, 'settings.toml')))?.[1]
  if (name === undefined) return []
  return children(join(home, 'toolchains')).filter(
    (folder) => basename(folder) === name || basename(folder).startsWith(`${name}-`),
  )
}

/** Where managers of Python versions keep them. */
const pythonStores = ({ home, environment }: ToolFoldersOptions): string[] => [
  join(environment.PYENV_ROOT ?? join(home, '.pyenv'), 'versions'),
  join(home, '.local/share/uv/python'),
  join(home, '.local/share/mise/installs/python'),
  join(home, '.asdf/installs/python'),
]

/** Packages that were fetched before, since nothing can be fetched in the sandbox, and the variables that lead to them. */
function fetchedPackages({ home, environment }: ToolFoldersOptions) {
  const folders: string[] = []
  const variables: Record<string, string> = {}
  const local = join(home, '.local')
  const own = children(join(local, 'lib')).filter((folder) => /\/python3\.\d+$/.test(folder))
  const sites = own.map((folder) => join(folder, 'site-packages')).filter((folder) => existsSync(folder))
  if (sites.length > 0) variables.PYTHONUSERBASE = local
  const cargo = environment.CARGO_HOME ?? join(home, '.cargo')
  const crates = ['registry', 'git'].map((name) => join(cargo, name)).filter((folder) => existsSync(folder))
  if (crates.length > 0) variables.CARGO_HOME = cargo
  const modules = environment.GOMODCACHE ?? join(environment.GOPATH ?? join(home, 'go'), 'pkg/mod')
  if (existsSync(modules)) {
    variables.GOMODCACHE = modules
    folders.push(modules)
  }
  return { folders: [...folders, ...sites, ...crates], environment: variables }
}

function configurationIn(folder: string): ToolFolders['masked'] {
  const files = ['pip.conf', '.condarc', 'lib/node_modules/npm/npmrc'].map((name) => ({
    path: join(folder, name),
    kind: 'file' as const,
  }))
  return [...files, { path: join(folder, 'etc'), kind: 'folder' as const }].filter(({ path }) => existsSync(path))
}

function isPython(folder: string): boolean {
  return children(join(folder, 'lib')).some((each) => /\/python3\.\d+t?$/.test(each) && existsSync(join(each, 'os.py')))
}

/** The npm package `node`, which holds the program alone. */
const isNodePackage = (folder: string): boolean =>
  /"name":\s*"node(?:-bin-setup)?"/.test(readText(join(folder, 'package.json')))

/** What the makers of virtual environments put there; a project in the same folder has more. */
const VENV_ENTRIES =
  /^(?:bin|include|lib|lib32|lib64|local|share|etc|man|doc|src|pyvenv\.cfg|pip\.conf|pip-selfcheck\.json|\.gitignore|CACHEDIR\.TAG|\.lock)$/

const isVenv = (folder: string): boolean =>
  existsSync(join(folder, 'pyvenv.cfg')) && children(folder).every((each) => VENV_ENTRIES.test(basename(each)))

function children(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name))
  } catch {
    return []
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function isWithin(path: string, folder: string): boolean {
  const from = relative(folder, path)
  return from === '' || !(from.startsWith('..') || isAbsolute(from))
}
