import * as library from '@cloudflare/workers-oauth-provider'
import type { OAuthLibrary, OAuthServerOptions } from '../../ports/oauth-library.ts'

const { OAuthAuthorizationServer, authorizationErrorRedirect } = library as unknown as OAuthLibrary

/**
 * The OAuth library, in the runtime that it is written for. What clients say of themselves at an address of theirs (metadata
 * documents) is fetched at Cloudflare alone, where `fetch` reaches public addresses only (the flag
 * `global_fetch_strictly_public`, without which the library fetches nothing). On a machine of one's own the same runtime
 * reaches the private network as well, so that whoever asks could have it looked around in: there `fetchesDocuments` is false.
 */
export function createOAuthLibrary({ fetchesDocuments }: { readonly fetchesDocuments: boolean }): OAuthLibrary {
  return {
    authorizationErrorRedirect,
    OAuthAuthorizationServer: class extends OAuthAuthorizationServer {
      constructor(options: OAuthServerOptions) {
        super({
          ...options,
          clientIdMetadataDocumentEnabled: fetchesDocuments && options.clientIdMetadataDocumentEnabled,
        })
      }
    },
  }
}
