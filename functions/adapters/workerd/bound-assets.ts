import type { Assets } from '../../ports/assets.ts'
import { assetType } from '../asset-type.ts'

/** The binding by which the files of `[assets]` are read. */
export interface AssetBinding {
  fetch(url: string): Promise<Response>
}

/**
 * The files of the page, uploaded beside the program. The binding knows only what was uploaded. They are sent as they are:
 * Cloudflare compresses what leaves it.
 */
export function createBoundAssets(binding: AssetBinding): Assets {
  return {
    async find(path) {
      const name = /^\/web\/((?:assets\/)?[\w-]+\.[a-z]+)$/.exec(path)?.[1] ?? ''
      const contentType = assetType(name)
      if (contentType === undefined) return undefined
      // The host is nobody's: the binding looks at the path alone.
      const response = await binding.fetch(`https://assets.invalid/${name}`)
      if (!response.ok) return undefined
      return { bytes: new Uint8Array(await response.arrayBuffer()), contentType }
    },
  }
}
