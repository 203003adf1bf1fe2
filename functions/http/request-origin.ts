import { AppError } from '#shared/errors.ts'
import { loopbackHostnames } from './loopback.ts'

/**
 * The origin at which a request reached us, as its client wrote it: that of the machine itself where `Host` names that, else
 * the public one. Behind a proxy this process cannot know the client's scheme and port, so the public one is what the
 * operator said. Null where nothing was said; that `Host` is one of ours, `checkHostAndOrigin` has seen to.
 */
export function findRequestOrigin(headers: Headers, publicOrigin: string | null): string | null {
  const text = `http://${headers.get('host') ?? ''}`
  const url = URL.canParse(text) ? new URL(text) : null
  return url !== null && loopbackHostnames.includes(url.hostname) ? url.origin : publicOrigin
}

/** The same for who cannot do without. Throws `forbidden`. */
export function requestOrigin(headers: Headers, publicOrigin: string | null): string {
  const origin = findRequestOrigin(headers, publicOrigin)
  if (origin !== null) return origin
  throw new AppError('forbidden', 'Cannot answer: this server has no public address at which people sign in', {
    hint: 'Whoever runs it sets MILLWRIGHT_PUBLIC_URL',
  })
}
