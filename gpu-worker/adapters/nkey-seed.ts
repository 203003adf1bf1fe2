const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** Two bytes say whose seed it is, and two at the end are a checksum. */
const HEAD_BYTES = 2
const KEY_BYTES = 32

/** The 32 bytes of an Ed25519 private key in an nkey's seed (`SU…`), which the NATS library has checked when it made it. */
export function seedBytes(seed: string): Uint8Array {
  const bytes: number[] = []
  let held = 0
  let bits = 0
  for (const character of seed) {
    held = ((held << 5) | ALPHABET.indexOf(character)) & 0xffff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((held >> bits) & 0xff)
  }
  return Uint8Array.from(bytes.slice(HEAD_BYTES, HEAD_BYTES + KEY_BYTES))
}
