import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { AppError } from '#shared/errors.ts'
import { parseKeyFile, parsePrivateKeyFile, parsePublicKeyFile, toPem } from '#shared/key-file.ts'
import { parsePublicKey } from './rsa-key.ts'

const toSpki = (bits: number, publicExponent = 65_537): Uint8Array<ArrayBuffer> => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits, publicExponent })
  return new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
}

/** A key of any modulus and exponent: nobody needs to know its factors to have it registered. */
const fromNumbers = (modulus: Uint8Array, exponent: Uint8Array): Uint8Array<ArrayBuffer> => {
  const [n, e] = [modulus, exponent].map((number) => Buffer.from(number).toString('base64url'))
  const key = createPublicKey({ format: 'jwk', key: { kty: 'RSA', n: n ?? '', e: e ?? '' } })
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }))
}

const reasonOf = async (work: () => unknown): Promise<unknown> => {
  try {
    await work()
  } catch (error) {
    if (error instanceof AppError) return error.details?.reason
    throw error
  }
  return 'taken'
}

describe('key policy', () => {
  it('takes an RSA key of 2048 bits with the exponent 65537, and gives it one fingerprint', async () => {
    const spki = toSpki(2048)
    const key = await parsePublicKey(spki)
    expect(key).toMatchObject({ bits: 2048 })
    expect(key.fingerprint).toMatch(/^SHA256:[A-Za-z0-9_-]{43}$/)
    expect(await parsePublicKey(key.spki)).toEqual(key)
  })

  it('takes up to 4096 bits', async () => {
    const modulus = new Uint8Array(512).fill(0xb5)
    expect(await parsePublicKey(fromNumbers(modulus, Uint8Array.of(1, 0, 1)))).toMatchObject({ bits: 4096 })
  })

  it.each([
    ['512 bits (A12)', 'key_too_short', () => toSpki(512)],
    ['1024 bits (A13)', 'key_too_short', () => toSpki(1024)],
    ['2047 bits', 'key_too_short', () => fromNumbers(new Uint8Array(256).fill(0x75), Uint8Array.of(1, 0, 1))],
    ['4104 bits', 'key_too_long', () => fromNumbers(new Uint8Array(513).fill(0xb5), Uint8Array.of(1, 0, 1))],
    ['16384 bits', 'key_too_long', () => fromNumbers(new Uint8Array(2048).fill(0xb5), Uint8Array.of(1, 0, 1))],
    ['e = 1 (A14)', 'bad_exponent', () => fromNumbers(new Uint8Array(256).fill(0xb5), Uint8Array.of(1))],
    ['e = 3', 'bad_exponent', () => toSpki(2048, 3)],
    ['a huge e', 'bad_exponent', () => fromNumbers(new Uint8Array(256).fill(0xb5), new Uint8Array(200).fill(0x77))],
    [
      'an elliptic curve',
      'not_rsa',
      () => {
        const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
        return new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
      },
    ],
    ['no key', 'not_rsa', () => new Uint8Array(300)],
    ['nothing', 'not_rsa', () => new Uint8Array()],
  ])('refuses %s', async (_what, reason, make) => {
    expect(await reasonOf(() => parsePublicKey(make()))).toBe(reason)
  })
})

describe('key file', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const privatePem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

  it('reads both halves and writes them back', () => {
    expect(parseKeyFile(publicPem).kind).toBe('public')
    expect(toPem('PUBLIC KEY', parsePublicKeyFile(publicPem))).toBe(publicPem)
    expect(toPem('PRIVATE KEY', parsePrivateKeyFile(privatePem))).toBe(privatePem)
    expect(parsePublicKeyFile(`comment\r\n${publicPem.replaceAll('\n', '\r\n')}`)).toEqual(
      parsePublicKeyFile(publicPem),
    )
  })

  it.each([
    ['two public keys (A19)', 'several_keys', publicPem + publicPem],
    ['a public and a private key', 'several_keys', publicPem + privatePem],
    ['a private key', 'public_key_expected', privatePem],
    ['PKCS #1', 'unsupported_key_format', privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()],
    [
      'an encrypted key',
      'unsupported_key_format',
      privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString(),
    ],
    ['an OpenSSH key', 'unsupported_key_format', 'ssh-rsa AAAAB3NzaC1yc2E= anna@laptop'],
    ['no key', 'unsupported_key_format', 'hello'],
    ['a damaged key', 'unsupported_key_format', publicPem.replace('MII', '!!!')],
    ['a large text', 'unsupported_key_format', `${publicPem}${' '.repeat(40_000)}`],
  ])('refuses %s where a public key is wanted', async (_what, reason, text) => {
    expect(await reasonOf(() => parsePublicKeyFile(text))).toBe(reason)
  })

  it('says that a public key is none to sign with', async () => {
    expect(await reasonOf(() => parsePrivateKeyFile(publicPem))).toBe('private_key_expected')
  })
})
