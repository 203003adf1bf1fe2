import { AppError } from '#shared/errors.ts'
import { loopbackHostnames } from './loopback.ts'

/**
 * The origin at which a request reached us, as its client wrote it: that of the machine itself where `Host` names that, else
 * the public one. Behind a proxy this process cannot know the client's scheme and port, so the public one is what the
 * operator said. Throws `forbidden` for a `Host` that is neither; see `checkHostAndOrigin`, which looks first.
 */
export function requestOrigin(headers: Headers, publicOrigin: string | null): string {
  const text = `http://${headers.get('host') ?? ''}`
  const url = URL.canParse(text) ? new URL(text) : null
  if (url !== null && loopbackHostnames.includes(url.hostname)) return url.origin
  if (publicOrigin !== null) return publicOrigin
  throw new AppError('forbidden', 'Cannot answer: the Host header does not name this server')
}
