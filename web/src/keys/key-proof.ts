/** A key of the browser's, as both its own types and Node's name it. */
export type SigningKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

/** RSA-PSS with SHA-256 and a salt as long, in base64url. */
export async function signText(key: SigningKey, text: string): Promise<string> {
  const parameters = { name: 'RSA-PSS', saltLength: 32 }
  return toBase64Url(await crypto.subtle.sign(parameters, key, new TextEncoder().encode(text)))
}

/** As the server names a key: the SHA-256 of its public half, given as SPKI. */
export const fingerprintOf = async (spki: ArrayBuffer): Promise<string> =>
  `SHA256:${toBase64Url(await crypto.subtle.digest('SHA-256', spki))}`

const toBase64Url = (bytes: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
