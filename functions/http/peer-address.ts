/** Peers that are this machine, as sockets write them. */
const ownAddresses = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1'])

/** Whether a peer is this machine. */
export const isOwnAddress = (peer: string): boolean => ownAddresses.has(peer)

/**
 * Whose request it is on the network. That is the socket's peer. Where the operator has said that a proxy on this machine
 * stands before us, and the request comes from there, it is the last entry of `X-Forwarded-For`: the one that the proxy
 * has added. Those before it are the client's own text.
 */
export function peerAddress(peer: string, forwardedFor: string | null, behindProxy: boolean): string {
  if (!behindProxy || !isOwnAddress(peer)) return peer
  const last = forwardedFor?.split(',').at(-1)?.trim() ?? ''
  return /^[0-9a-fA-F:.]{2,45}$/.test(last) ? last : peer
}
