/** What a client offers in `Sec-WebSocket-Protocol`: that it knows our messages, and its token, which a browser can put nowhere else. */
export interface OfferedProtocols {
  readonly knowsEvents: boolean
  readonly token: string | null
}

/** The one that is chosen, and said back. */
export const EVENTS_PROTOCOL = 'millwright.events.v1'
const TOKEN_PREFIX = 'bearer.'

/** The token is percent-encoded: not every token is made of the characters that the header may have. */
export function parseProtocols(header: string | null): OfferedProtocols {
  const offered = (header ?? '').split(',').map((each) => each.trim())
  const token = offered.find((each) => each.startsWith(TOKEN_PREFIX))?.slice(TOKEN_PREFIX.length)
  return { knowsEvents: offered.includes(EVENTS_PROTOCOL), token: token === undefined ? null : decode(token) }
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
