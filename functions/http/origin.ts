import { validateHostHeader, validateOriginHeader } from '@modelcontextprotocol/server'
import { AppError } from '#shared/errors.ts'

/**
 * Refuses what a web page of somebody else's could send through the user's browser: a `Host` that is not ours (DNS
 * rebinding) and a foreign `Origin`. `hostnames` are without ports; IPv6 in brackets. `isTrusted`: the operator has named this
 * origin for this address.
 */
export function checkHostAndOrigin(headers: Headers, hostnames: readonly string[], isTrusted: boolean): void {
  const allowed = [...hostnames]
  if (!validateHostHeader(headers.get('host'), allowed).ok) {
    throw new AppError('forbidden', 'Cannot answer: the Host header does not name this server', {
      hint: 'Use the address that the server printed at its start',
    })
  }
  if (!isTrusted && !validateOriginHeader(headers.get('origin'), allowed).ok) {
    throw new AppError('forbidden', 'Cannot answer: the Origin header names a foreign site', {
      hint: 'Call from a page of this server or of an origin that its operator has named, or without a browser',
    })
  }
}
