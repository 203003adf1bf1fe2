import { generateKeyPair } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { parsePublicKeyFile } from '#shared/key-file.ts'
import { KEY_BITS_DEFAULT } from '#shared/sign-in.ts'

export interface KeyPairFiles {
  /** PKCS #8 as PEM, readable by its owner only. */
  readonly privateFile: string
  /** SPKI as PEM: what may be sent to others. */
  readonly publicFile: string
  readonly spki: Uint8Array<ArrayBuffer>
}

/**
 * Makes a key pair and writes `file` (the private half, mode 0600 from its first moment) and `file.pub`. Throws where a file
 * is there already, which is never overwritten, and where `file` would lie in a git repository, in which an agent could
 * read it and a commit could publish it.
 */
export async function writeKeyPair(file: string): Promise<KeyPairFiles> {
  const folder = dirname(file)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const repository = findRepository(realpathSync(folder))
  if (repository !== undefined) {
    throw new Error(`Cannot write the private key to ${file}: it lies in the git repository ${repository}`)
  }
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: KEY_BITS_DEFAULT,
    publicExponent: 65_537,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  writeNew(file, privateKey, 0o600)
  try {
    writeNew(`${file}.pub`, publicKey, 0o644)
  } catch (error) {
    rmSync(file)
    throw error
  }
  return { privateFile: file, publicFile: `${file}.pub`, spki: parsePublicKeyFile(publicKey) }
}

export function removeKeyPair({ privateFile, publicFile }: KeyPairFiles): void {
  rmSync(privateFile)
  rmSync(publicFile)
}

function writeNew(file: string, text: string, mode: number): void {
  let handle: number
  try {
    handle = openSync(file, 'wx', mode)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      throw new Error(`Cannot write ${file}: it is there already. Choose another file with --out`)
    }
    throw error
  }
  try {
    writeSync(handle, text)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  chmodSync(file, mode)
}

/** The nearest folder above that is a work tree or a repository of git. */
function findRepository(folder: string): string | undefined {
  for (let current = folder; ; current = dirname(current)) {
    if (existsSync(join(current, '.git'))) return current
    if (dirname(current) === current) return undefined
  }
}
