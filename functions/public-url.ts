import * as v from 'valibot'

/** Where others reach the edge by TLS: `https://HOST`, without a path. Becomes its origin. */
export const PublicUrl = v.pipe(
  v.string(),
  v.check((text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    return (
      url?.protocol === 'https:' && url.username === '' && url.password === '' && url.origin === text.replace(/\/$/, '')
    )
  }, 'must be https://HOST, without a path'),
  v.transform((text) => new URL(text).origin),
)
