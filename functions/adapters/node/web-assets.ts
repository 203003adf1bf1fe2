import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Asset, Assets } from '../../ports/assets.ts'
import { assetType } from '../asset-type.ts'

/**
 * The files of the built page, read once: an address can name one of them and nothing else on the disk. A folder that is
 * not there holds none: the endpoint does not need the page.
 */
export function readWebAssets(folder: string): Assets {
  const assets = new Map([...readFolder(folder, '/web/'), ...readFolder(join(folder, 'assets'), '/web/assets/')])
  return { find: async (path) => assets.get(path) }
}

function readFolder(folder: string, address: string): [string, Asset][] {
  const names = new Set(existsSync(folder) ? readdirSync(folder) : [])
  const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)))
  return [...names].flatMap((name): [string, Asset][] => {
    const contentType = assetType(name)
    if (contentType === undefined) return []
    const compressed = {
      ...(names.has(`${name}.br`) ? { br: read(`${name}.br`) } : {}),
      ...(names.has(`${name}.gz`) ? { gzip: read(`${name}.gz`) } : {}),
    }
    return [[`${address}${name}`, { bytes: read(name), contentType, compressed }]]
  })
}
