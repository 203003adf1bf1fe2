// As much of DER (ITU-T X.690) as key files are made of.

export type Bytes = Uint8Array<ArrayBuffer>

export interface DerElement {
  readonly tag: number
  readonly content: Bytes
}

export const derTags = { integer: 0x02, octets: 0x04, nothing: 0x05, identifier: 0x06, sequence: 0x30 } as const

/** The elements that follow each other in `bytes`. Throws a RangeError for what is no DER. */
export function readDer(bytes: Bytes): DerElement[] {
  const elements: DerElement[] = []
  let at = 0
  while (at < bytes.length) {
    const tag = bytes[at] ?? 0
    const first = bytes[at + 1] ?? 0
    // From 128 on the length itself is written as a number of that many bytes.
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f
    if (first === 0x80 || lengthBytes > 3) throw new RangeError('A length that DER does not have')
    const head = at + 2 + lengthBytes
    const length = lengthBytes === 0 ? first : bytes.subarray(at + 2, head).reduce((sum, byte) => sum * 256 + byte, 0)
    if (head + length > bytes.length) throw new RangeError('DER that ends too early')
    elements.push({ tag, content: bytes.subarray(head, head + length) })
    at = head + length
  }
  return elements
}

export function writeDer(tag: number, ...parts: readonly Uint8Array[]): Bytes {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const lengthBytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) lengthBytes.unshift(rest % 256)
  const head = length < 0x80 ? [tag, length] : [tag, 0x80 + lengthBytes.length, ...lengthBytes]
  return new Uint8Array([...head, ...parts.flatMap((part) => [...part])])
}

/** An object identifier's content as digits and dots. */
export function toDotted(content: Bytes): string {
  const numbers: number[] = []
  let value = 0
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f)
    if (byte < 0x80) {
      numbers.push(value)
      value = 0
    }
  }
  const [first = 0, ...rest] = numbers
  const top = Math.min(2, Math.floor(first / 40))
  return [top, first - 40 * top, ...rest].join('.')
}
