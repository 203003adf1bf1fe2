import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, freemem, setPriority } from 'node:os'
import { basename, join } from 'node:path'
import { describeExit, spawnBound } from '../../bound-process.ts'
import { toolsFolder } from '../../setup/paths.mjs'
import { runCommand } from '../../setup/run-command.mjs'
import { type EngineSource, findEngineSource } from './engine-source.ts'

const folder = join(toolsFolder, 'llama-server')
const program = join(folder, 'llama-server')
/** What the folder was built of. */
const stamp = join(folder, 'built.json')

/** The compiler takes up to this much for a file. */
const JOB_MEMORY_BYTES = 2 * 1024 ** 3
const NICENESS = 10

interface Options {
  readonly log: (line: string) => void
  readonly signal: AbortSignal
}

/** The llama-server of the library's own llama.cpp; null where it is not built, or was built of another version. */
export async function findLlamaServer(): Promise<string | null> {
  return isBuiltOf(await findEngineSource()) ? program : null
}

/**
 * Builds llama-server from the source that comes with node-llama-cpp, for the CPU, unless that is done. Its arithmetic is
 * not compiled here but taken from the library: both then run the same machine code, for the same kind of CPU.
 * Rejects with an Error for a person where a tool is missing or the build fails; nothing is left then.
 */
export async function buildLlamaServer({ log, signal }: Options): Promise<string> {
  const source = await findEngineSource()
  if (isBuiltOf(source)) {
    log(`llama-server: built already (${program})`)
    return program
  }
  const generator = await requireBuildTools()
  const work = join(toolsFolder, `llama-server.partial-${process.pid}`)
  const step = async (label: string, command: string, args: readonly string[]): Promise<void> => {
    log(`llama-server: ${label}`)
    const lines: string[] = []
    const onLine = (line: string): void => {
      lines.push(line)
      if (lines.length > 30) lines.shift()
    }
    const child = await spawnBound({ command, args, onLine })
    setPriority(child.pid, NICENESS)
    signal.addEventListener('abort', child.kill, { once: true })
    const exit = await child.exited
    signal.removeEventListener('abort', child.kill)
    signal.throwIfAborted()
    if (exit.status === 0) return
    throw new Error([`Cannot build llama-server: ${label}: ${describeExit(exit)}`, ...lines].join('\n  '))
  }
  try {
    mkdirSync(work, { recursive: true })
    const [tree, build] = [join(work, 'source'), join(work, 'build')]
    await step('unpacking the source', 'git', ['-c', 'advice.detachedHead=false', 'clone', '-q', source.bundle, tree])
    await step('configuring', 'cmake', ['-S', tree, '-B', build, '-G', generator, ...cmakeOptions(source)])
    const jobs = Math.max(1, Math.min(availableParallelism() - 1, Math.floor(freemem() / JOB_MEMORY_BYTES)))
    await step(`compiling (${jobs} at a time; 5 to 20 minutes)`, 'cmake', [
      ...['--build', build, '--target', 'llama-server', '--parallel', String(jobs)],
    ])
    putInPlace(source, join(build, 'bin'), join(work, 'whole'))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  log(`llama-server: built (${program})`)
  return program
}

const isBuiltOf = ({ commit }: EngineSource): boolean =>
  existsSync(program) && existsSync(stamp) && readFileSync(stamp, 'utf8').includes(commit)

function cmakeOptions({ cpuPlugIns }: EngineSource): string[] {
  const onOff = {
    BUILD_SHARED_LIBS: true,
    CMAKE_BUILD_RPATH_USE_ORIGIN: true,
    // The library's own plug-ins, else what the compiler knows of this machine.
    GGML_BACKEND_DL: cpuPlugIns.length > 0,
    GGML_CPU: cpuPlugIns.length === 0,
    GGML_NATIVE: cpuPlugIns.length === 0,
    // The library is compiled without it.
    GGML_OPENMP: false,
    GGML_METAL: false,
    LLAMA_CURL: false,
    LLAMA_OPENSSL: false,
    LLAMA_BUILD_TESTS: false,
    LLAMA_BUILD_EXAMPLES: false,
    LLAMA_BUILD_APP: false,
    LLAMA_BUILD_UI: false,
    LLAMA_USE_PREBUILT_UI: false,
  }
  return ['-DCMAKE_BUILD_TYPE=Release', ...Object.entries(onOff).map(([name, on]) => `-D${name}=${on ? 'ON' : 'OFF'}`)]
}

/** Only what runs is kept. The folder gets its name when it is whole. */
function putInPlace({ commit, cpuPlugIns }: EngineSource, built: string, whole: string): void {
  mkdirSync(whole)
  for (const name of readdirSync(built)) {
    if (name !== 'llama-server' && !/^lib.*\.(so|dylib)/.test(name)) continue
    // A library has several names; with copies instead of links a plug-in would load it a second time.
    cpSync(join(built, name), join(whole, name), { verbatimSymlinks: true })
  }
  for (const path of cpuPlugIns) copyFileSync(path, join(whole, basename(path)))
  const record = { commit, cpu: cpuPlugIns.length > 0 ? "the library's plug-ins" : 'compiled for this machine' }
  writeFileSync(join(whole, 'built.json'), `${JSON.stringify(record, null, 2)}\n`)
  rmSync(folder, { recursive: true, force: true })
  renameSync(whole, folder)
}

/** The generator for cmake. */
async function requireBuildTools(): Promise<'Ninja' | 'Unix Makefiles'> {
  const has = async (...names: string[]): Promise<boolean> => {
    for (const name of names) if ((await runCommand(name, ['--version'], { timeoutMs: 10_000 })).ok) return true
    return false
  }
  const [git, cmake, compiler, ninja, make] = await Promise.all([
    has('git'),
    has('cmake'),
    has('c++', 'g++', 'clang++'),
    has('ninja'),
    has('make'),
  ])
  const missing = [
    ...(git ? [] : ['git']),
    ...(cmake ? [] : ['cmake']),
    ...(compiler ? [] : ['a C++ compiler (g++ or clang++)']),
    ...(ninja || make ? [] : ['ninja or make']),
  ]
  if (missing.length > 0) {
    throw new Error(
      [
        `Cannot build llama-server: missing ${missing.join(', ')}`,
        'Debian, Ubuntu:  sudo apt-get install git cmake g++ ninja-build',
        'Fedora:          sudo dnf install git cmake gcc-c++ ninja-build',
        'macOS:           xcode-select --install; brew install cmake ninja',
      ].join('\n  '),
    )
  }
  return ninja ? 'Ninja' : 'Unix Makefiles'
}
