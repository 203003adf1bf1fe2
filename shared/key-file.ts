import { AppError } from './errors.ts'
import type { SignInReason } from './sign-in.ts'

/** A PEM file of the largest key that is taken is a tenth of this. */
const KEY_FILE_CHARACTERS_MAX = 32_768

export type KeyFile =
  /** SPKI, the public half. */
  | { readonly kind: 'public'; readonly der: Uint8Array<ArrayBuffer> }
  /** PKCS #8, not encrypted. */
  | { readonly kind: 'private'; readonly der: Uint8Array<ArrayBuffer> }

/** What other programs write, by their labels, and the command that turns it into what is read here. */
const convertible: Readonly<Record<string, string>> = {
  'RSA PRIVATE KEY': 'openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW',
  'ENCRYPTED PRIVATE KEY': 'openssl pkcs8 -in OLD -out NEW',
  'OPENSSH PRIVATE KEY': 'ssh-keygen -p -m PKCS8 -f COPY_OF_THE_KEY',
  'RSA PUBLIC KEY': 'openssl rsa -RSAPublicKey_in -in OLD -pubout -out NEW',
  CERTIFICATE: 'openssl x509 -in OLD -noout -pubkey -out NEW',
  'SSH2 PUBLIC KEY': 'ssh-keygen -e -m PKCS8 -f OLD > NEW',
}

/**
 * Reads a PEM file with one key in it. Throws `invalid_input` with a reason of `SignInReason` and, where there is one, the
 * command that converts the file. Says nothing about the key itself: see the key policy.
 */
export function parseKeyFile(text: string): KeyFile {
  if (text.length > KEY_FILE_CHARACTERS_MAX) throw unsupported('it is longer than any key file')
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*)-----END \1-----/g)]
  const begins = text.match(/-----BEGIN /g)?.length ?? 0
  if (begins > 1) {
    throw refusal(
      'several_keys',
      'it holds more than one key or certificate',
      'Give a file with one key and nothing else',
    )
  }
  const [block] = blocks
  if (block === undefined) {
    if (/^(ssh-rsa|ssh-ed25519|ecdsa-)/.test(text.trim())) {
      throw unsupported('it is a public key of OpenSSH', 'ssh-keygen -e -m PKCS8 -f OLD > NEW')
    }
    throw unsupported('it is no PEM file')
  }
  const [, label = '', body = ''] = block
  const der = fromBase64(body)
  if (der === undefined) throw unsupported('its text is damaged')
  if (label === 'PUBLIC KEY') return { kind: 'public', der }
  if (label === 'PRIVATE KEY') return { kind: 'private', der }
  throw unsupported(`it is of the kind "${label}"`, convertible[label])
}

/** The same where only the public half will do. */
export function parsePublicKeyFile(text: string): Uint8Array<ArrayBuffer> {
  const file = parseKeyFile(text)
  if (file.kind === 'public') return file.der
  throw refusal(
    'public_key_expected',
    'this is a private key',
    'Give the public half (.pub). The private one stays with its owner and is sent to nobody',
  )
}

/** The same where only the private half will do. */
export function parsePrivateKeyFile(text: string): Uint8Array<ArrayBuffer> {
  const file = parseKeyFile(text)
  if (file.kind === 'private') return file.der
  throw refusal('private_key_expected', 'this is a public key', 'Give the file without .pub: the private half signs')
}

export function toPem(label: 'PUBLIC KEY' | 'PRIVATE KEY', der: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const compact = text.replace(/\s+/g, '')
  if (compact === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) return undefined
  try {
    return Uint8Array.from(atob(compact), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}

const unsupported = (why: string, command?: string): AppError =>
  refusal(
    'unsupported_key_format',
    why,
    command === undefined
      ? 'Give an RSA key as PEM: PKCS #8 for the private half, SPKI for the public'
      : `Convert it: ${command}`,
  )

function refusal(reason: SignInReason, why: string, hint: string): AppError {
  return new AppError('invalid_input', `Cannot use the key file: ${why}`, { hint, details: { reason } })
}
