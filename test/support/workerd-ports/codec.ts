/** JSON that keeps maps, bytes and values that were left out, which the ports' methods take and return. */
export function encode(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part === undefined) return { $undefined: true }
    if (part instanceof Map) return { $map: [...part] }
    if (part instanceof Uint8Array) return { $bytes: [...part] }
    return part
  })
}

export function decode(text: string): unknown {
  return JSON.parse(text, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null) return part
    if ('$undefined' in part) return undefined
    if ('$map' in part) return new Map(part.$map as [unknown, unknown][])
    if ('$bytes' in part) return Uint8Array.from(part.$bytes as number[])
    return part
  })
}
