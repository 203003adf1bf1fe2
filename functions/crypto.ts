/** SHA-256 of bytes, or of a text's UTF-8, in hexadecimal. */
export async function sha256Hex(content: string | Uint8Array): Promise<string> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : new Uint8Array(content)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz'

/** A new id that nobody can guess: 100 random bits behind a prefix, in characters that URLs take as they are. */
export function createId(prefix: string): string {
  const random = crypto.getRandomValues(new Uint8Array(20))
  return `${prefix}_${Array.from(random, (byte) => CROCKFORD[byte % 32]).join('')}`
}

/** 256 random bits in base64url. */
export const createSecret = (): string => toBase64Url(crypto.getRandomValues(new Uint8Array(32)))

export const toBase64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

/** Undefined for a text that is no base64url. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined
  try {
    return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}

/** Compares all characters, whatever it finds; how long the texts are is no secret. */
export function isEqualText(presented: string, expected: string): boolean {
  let difference = presented.length ^ expected.length
  for (let index = 0; index < presented.length; index++) {
    difference |= presented.charCodeAt(index) ^ expected.charCodeAt(index % expected.length)
  }
  return difference === 0
}
