import { isLoopbackAddress } from './loopback.ts'

/**
 * The origin at which a request reached us, as its client wrote it: that of the machine itself where `Host` names that, else
 * the public one. `Host` has been checked before. Behind a proxy this process cannot know the client's scheme and port, so
 * the public one is what the operator said.
 */
export function requestOrigin(headers: Headers, publicOrigin: string | null): string {
  const host = (headers.get('host') ?? '').toLowerCase()
  return publicOrigin === null || isLoopbackAddress(host) ? `http://${host}` : publicOrigin
}
