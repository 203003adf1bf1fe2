import type { Assets } from '../../ports/assets.ts'
import { assetType } from '../asset-type.ts'

/** The binding by which the files of `[assets]` are read. */
export interface AssetBinding {
  fetch(url: string): Promise<Response>
}

/** The files of the page, uploaded beside the program. The binding knows only what was uploaded. */
export function createBoundAssets(binding: AssetBinding): Assets {
  return {
    async find(path) {
      const name = /^\/web\/([\w.-]+)$/.exec(path)?.[1] ?? ''
      const contentType = assetType(name)
      if (contentType === undefined) return undefined
      // The host is nobody's: the binding looks at the path alone.
      const response = await binding.fetch(`https://assets.invalid/${name}`)
      if (!response.ok) return undefined
      return { bytes: new Uint8Array(await response.arrayBuffer()), contentType }
    },
  }
}
