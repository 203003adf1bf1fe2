import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, parse } from 'node:path'
import type { WorkerOptions } from 'miniflare'
import { unstable_getMiniflareWorkerOptions } from 'wrangler'
import { buildEdge } from './wrangler.ts'

/** A built program with what its configuration binds, as Miniflare takes both. */
export type WorkerdBundle = WorkerOptions & { readonly scriptPath: string }

const OPTIONS_FILE = 'miniflare.json'

/** Another program for the same configuration: its entry file, and the classes of objects that it has more, by binding. */
export interface OtherEntry {
  readonly file: string
  readonly objects: Readonly<Record<string, string>>
}

/** Builds the program of a `wrangler.toml` into a folder, as `wrangler deploy` would upload it, for `readWorkerdBundle`. */
export async function buildWorkerdBundle(folder: string, config: string, entry?: OtherEntry): Promise<void> {
  mkdirSync(folder, { recursive: true })
  await buildEdge(folder, config, entry?.file)
  const { workerOptions, main } = unstable_getMiniflareWorkerOptions(config)
  const scriptPath = join(folder, `${parse(entry?.file ?? main ?? '').name}.js`)
  // The rules are those for finding modules, of which none is left to find.
  const { modulesRules: _rules, rootPath: _root, ...options } = workerOptions
  const added = Object.entries(entry?.objects ?? {}).map(([name, className]) => [name, { className, useSQLite: true }])
  const durableObjects = { ...Object(options.durableObjects), ...Object.fromEntries(added) }
  const bundle = { ...options, durableObjects, modules: true, modulesRoot: folder, scriptPath }
  writeFileSync(join(folder, OPTIONS_FILE), JSON.stringify(bundle))
}

export function readWorkerdBundle(folder: string): WorkerdBundle {
  return JSON.parse(readFileSync(join(folder, OPTIONS_FILE), 'utf8')) as WorkerdBundle
}
