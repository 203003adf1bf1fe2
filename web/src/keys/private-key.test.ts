import {
  constants,
  createPublicKey,
  createVerify,
  generateKeyPairSync,
  type KeyExportOptions,
  type KeyObject,
} from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { PassphraseNeeded } from './key-file-error.ts'
import { signText } from './key-proof.ts'
import { createKeyPair } from './new-key.ts'
import { importPrivateKey } from './private-key.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pkcs8 = pem(rsa.privateKey, 'pkcs8')
const { fingerprint } = await importPrivateKey(pkcs8)

function pem(key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'spki' | 'sec1'): string {
  return key.export({ type, format: 'pem' } as KeyExportOptions<'pem'>).toString()
}

const encrypted = (cipher: string, passphrase: string): string =>
  rsa.privateKey.export({ type: 'pkcs8', format: 'pem', cipher, passphrase }).toString()

async function verifies(text: string, signature: string, key: KeyObject): Promise<boolean> {
  const options = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
  return createVerify('sha256').update(text).verify(options, Buffer.from(signature, 'base64url'))
}

describe('importPrivateKey', () => {
  it.each([
    ['PKCS #8', pkcs8, ''],
    ['PKCS #1', pem(rsa.privateKey, 'pkcs1'), ''],
    ['PKCS #8 with other text around it and Windows lines', `Key of Anna\n${pkcs8}\n`.replaceAll('\n', '\r\n'), ''],
    ['encrypted PKCS #8, AES-256', encrypted('aes-256-cbc', 'päss'), 'päss'],
    ['encrypted PKCS #8, AES-192', encrypted('aes-192-cbc', 'secret'), 'secret'],
    ['encrypted PKCS #8, AES-128', encrypted('aes-128-cbc', 'secret'), 'secret'],
  ])('reads a key as %s, and signs with it', async (_form, text, passphrase) => {
    const key = await importPrivateKey(text, passphrase)
    expect(key.fingerprint).toBe(fingerprint)
    expect(await verifies('a challenge', await signText(key.signing, 'a challenge'), rsa.publicKey)).toBe(true)
  })

  it('gives a key that cannot be read again', async () => {
    const { signing } = await importPrivateKey(pkcs8)
    await expect(crypto.subtle.exportKey('pkcs8', signing)).rejects.toThrow()
  })

  it('asks for the passphrase of an encrypted key, and says when it is wrong', async () => {
    const text = encrypted('aes-256-cbc', 'right')
    await expect(importPrivateKey(text)).rejects.toThrow(PassphraseNeeded)
    for (let attempt = 0; attempt < 5; attempt++) {
      await expect(importPrivateKey(text, `wrong ${attempt}`)).rejects.toThrow('Wrong passphrase')
    }
  })

  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
  it.each([
    ['nothing', '  \n', 'There is no key yet'],
    ['other text', 'hello', 'This is no private key as PEM'],
    ['a public key', pem(rsa.publicKey, 'spki'), 'This is a public key'],
    ['a public key of PKCS #1', pem(rsa.publicKey, 'pkcs1'), 'This is a public key'],
    ['a public key of OpenSSH', 'ssh-rsa AAAAB3NzaC1yc2E anna', 'This is a public key'],
    ['a key of an elliptic curve', pem(ec, 'pkcs8'), 'Not an RSA key'],
    ['the same in its own form', pem(ec, 'sec1'), 'Not an RSA key'],
    ['a short key', pem(short, 'pkcs8'), 'Key too short: 1024 bits, at least 2048 are needed'],
    ['a short key as PKCS #1', pem(short, 'pkcs1'), 'Key too short: 1024 bits'],
    ['two keys', pkcs8 + pkcs8, 'more than one key'],
    ['a key without its last line', pkcs8.replace(/-----END.*/, ''), 'This key is not whole'],
    ['a key with rubbish inside', pkcs8.replace(/\n.{20}/, '\n????????????????????'), 'This key is damaged'],
    ['a key that was cut', pkcs8.replace(/\n.{64}\n(?=.{64}\n)/, '\n'), /damaged/],
    [
      'an encrypted key of PKCS #1',
      rsa.privateKey.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }).toString(),
      'encrypted in an old form (PKCS #1). Convert it: openssl pkcs8 -topk8',
    ],
    [
      'a key of OpenSSH',
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n-----END OPENSSH PRIVATE KEY-----',
      'ssh-keygen -p -m PKCS8',
    ],
    ['a long text', 'x'.repeat(40_000), 'too long for a key'],
  ])('says what is wrong with %s', async (_what, text, says) => {
    await expect(importPrivateKey(text)).rejects.toThrow(says)
  })
})

describe('createKeyPair', () => {
  it('makes a key that the page itself takes, and its public half under the same name', async () => {
    const pair = await createKeyPair()
    const key = await importPrivateKey(pair.privatePem)
    expect(key.fingerprint).toBe(pair.fingerprint)
    const signature = await signText(key.signing, 'text')
    expect(await verifies('text', signature, createPublicKey(pair.publicPem))).toBe(true)
  })
})
