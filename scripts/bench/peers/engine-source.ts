import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { runCommand } from '../../setup/run-command.mjs'

/** llama.cpp as the installed node-llama-cpp has it: its source, and what was compiled from it. */
export interface EngineSource {
  /** A git bundle. */
  readonly bundle: string
  /** Of the bundle's only head: names the version. */
  readonly commit: string
  /**
   * The compiled arithmetic for each kind of CPU, as the library loads it; none on a platform whose library has it built in.
   */
  readonly cpuPlugIns: readonly string[]
}

/** Rejects with an Error for a person where the library is not installed whole. */
export async function findEngineSource(): Promise<EngineSource> {
  // The package exports only its entry, dist/index.js.
  const entry = createRequire(import.meta.url).resolve('node-llama-cpp')
  const folder = join(dirname(entry), '..')
  const bundle = join(folder, 'llama', 'gitRelease.bundle')
  const heads = await runCommand('git', ['bundle', 'list-heads', bundle], { timeoutMs: 30_000 })
  const commit = /^([0-9a-f]{40}) /m.exec(heads.output)?.[1]
  if (commit === undefined) throw new Error(`Cannot read the source of llama.cpp in ${bundle}: ${heads.problem}`)
  return { bundle, commit, cpuPlugIns: findCpuPlugIns(join(folder, '..')) }
}

function findCpuPlugIns(modules: string): string[] {
  const platform = `${process.platform}-${process.arch}`
  const folder = join(modules, '@node-llama-cpp', platform, 'bins', platform)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => /^libggml-cpu.*\.so$/.test(name))
    .map((name) => join(folder, name))
}
