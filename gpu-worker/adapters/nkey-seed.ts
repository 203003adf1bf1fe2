const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** Two bytes say whose seed it is, one whose public key; two at the end are a checksum. */
const SEED_HEAD_BYTES = 2
const USER_HEAD_BYTES = 1
const KEY_BYTES = 32

/** The 32 bytes of an Ed25519 private key in an nkey's seed (`SU…`), which the NATS library has checked when it made it. */
export const seedBytes = (seed: string): Uint8Array => keyBytes(seed, SEED_HEAD_BYTES)

/** The 32 bytes of an Ed25519 public key in a user's nkey (`U…`). */
export const userBytes = (user: string): Uint8Array => keyBytes(user, USER_HEAD_BYTES)

function keyBytes(text: string, headBytes: number): Uint8Array {
  const bytes: number[] = []
  let held = 0
  let bits = 0
  for (const character of text) {
    held = ((held << 5) | ALPHABET.indexOf(character)) & 0xffff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((held >> bits) & 0xff)
  }
  return Uint8Array.from(bytes.slice(headBytes, headBytes + KEY_BYTES))
}
