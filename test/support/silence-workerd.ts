import type { Readable } from 'node:stream'

/** For Miniflare: what the program logs is read and dropped. A test asserts what it is told instead. */
export function silenceWorkerd(out: Readable, errors: Readable): void {
  out.resume()
  errors.resume()
}
