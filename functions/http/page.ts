import type { Asset } from '../ports/assets.ts'

/** Nothing but our own files: no inline script, no `eval`, no other host, and nobody may frame the page. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** For files whose names change with their bytes. */
const FOREVER = 'public, max-age=31536000, immutable'

export function toPageResponse({ bytes, contentType }: Asset): Response {
  return new Response(bytes, {
    headers: {
      'content-type': contentType,
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    },
  })
}

/** A file that a page loads: as small as the browser takes it, and kept by it for as long as it likes. */
export function toAssetResponse({ bytes, contentType, compressed = {} }: Asset, request: Request): Response {
  const accepted = (request.headers.get('accept-encoding') ?? '').split(',').map((part) => part.trim())
  const encoding = (['br', 'gzip'] as const).find((name) => compressed[name] !== undefined && accepted.includes(name))
  return new Response(encoding === undefined ? bytes : (compressed[encoding] ?? bytes), {
    headers: {
      'content-type': contentType,
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'cache-control': FOREVER,
      vary: 'accept-encoding',
      ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
    },
  })
}
