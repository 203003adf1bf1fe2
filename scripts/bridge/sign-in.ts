import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type AuthProvider, type OAuthClientProvider, PrivateKeyJwtProvider } from '@modelcontextprotocol/client'
import { parsePublicKey } from '#functions/auth/rsa-key.ts'
import { type Credential, toToken } from './options.ts'

/**
 * What the MCP client asks for its token. A file is read for each request, so that a new token counts at once; with a key it
 * gets tokens by itself and anew when they end. Rejects where a key cannot be used; what is wrong with a token file is told
 * when it is needed. `folder` is where relative paths begin.
 */
export async function createSignIn(
  credential: Credential,
  url: URL,
  folder: string,
): Promise<AuthProvider | OAuthClientProvider> {
  switch (credential.kind) {
    case 'token':
      return { token: async () => credential.token }
    case 'token-file': {
      const file = resolve(folder, credential.file)
      return { token: async () => toToken(readText(file, 'the token'), file) }
    }
    case 'key':
      return createKeySignIn(credential, url, resolve(folder, credential.file))
  }
}

async function createKeySignIn(
  { scopes, workspace }: Credential & { kind: 'key' },
  url: URL,
  file: string,
): Promise<OAuthClientProvider> {
  const key = readKey(file)
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const { fingerprint } = await parsePublicKey(new Uint8Array(spki))
  const provider = new PrivateKeyJwtProvider({
    clientId: fingerprint,
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    algorithm: 'RS256',
    clientName: 'millwright-mcp',
    // The key signs in there and nowhere else, whatever the endpoint says of other servers.
    expectedIssuer: url.origin,
  })
  return Object.assign(provider, {
    // The SDK asks for what the endpoint's challenge names, and leaves what the operator has said for when it names nothing.
    prepareTokenRequest: (challenged: string | undefined) => {
      const form = new URLSearchParams({ grant_type: 'client_credentials' })
      const scope = scopes.length === 0 ? challenged : scopes.join(' ')
      if (scope !== undefined) form.set('scope', scope)
      if (workspace !== undefined) form.set('workspace', workspace)
      return form
    },
  })
}

function readKey(file: string): KeyObject {
  const text = readText(file, 'the key')
  let key: KeyObject
  try {
    key = createPrivateKey(text)
  } catch (cause) {
    const why = /ENCRYPTED/.test(text) ? 'it is encrypted' : 'it is no private key in PEM'
    throw new Error(`Cannot read the key ${file}: ${why}`, { cause })
  }
  if (key.asymmetricKeyType !== 'rsa') throw new Error(`Cannot use the key ${file}: it is no RSA key`)
  return key
}

function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : cause
    throw new Error(`Cannot read ${what} ${file}: ${code}`, { cause })
  }
}
