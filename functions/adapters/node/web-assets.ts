import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { Asset, Assets } from '../../ports/assets.ts'

const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
}

/** The files of a folder, read once: an address can name one of them and nothing else on the disk. */
export function readWebAssets(folder: string): Assets {
  const assets = new Map<string, Asset>()
  for (const name of readdirSync(folder)) {
    const contentType = contentTypes[extname(name)]
    if (contentType === undefined) continue
    assets.set(`/web/${name}`, { bytes: new Uint8Array(readFileSync(join(folder, name))), contentType })
  }
  return { find: (path) => assets.get(path) }
}
