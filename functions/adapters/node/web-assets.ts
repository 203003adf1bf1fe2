import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Asset, Assets } from '../../ports/assets.ts'
import { assetType } from '../asset-type.ts'

/** The files of a folder, read once: an address can name one of them and nothing else on the disk. */
export function readWebAssets(folder: string): Assets {
  const assets = new Map<string, Asset>()
  for (const name of readdirSync(folder)) {
    const contentType = assetType(name)
    if (contentType === undefined) continue
    assets.set(`/web/${name}`, { bytes: new Uint8Array(readFileSync(join(folder, name))), contentType })
  }
  return { find: async (path) => assets.get(path) }
}
