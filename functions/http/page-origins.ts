import * as v from 'valibot'

/**
 * The origins whose pages may call from a browser, as an operator writes them: divided by commas, each `https://HOST[:PORT]`, or
 * `http://` for a name of this machine, whose pages nobody on the way can change. Exact: no patterns, no paths.
 */
export const PageOrigins = v.pipe(
  v.string(),
  v.transform((text) => text.split(',').flatMap((part) => part.trim() || [])),
  v.check(
    (origins) => origins.every(isOrigin),
    'must be origins divided by commas: https://HOST, or http:// for this machine, without a path',
  ),
)

function isOrigin(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.origin !== text || text.includes('*')) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isThisMachine(url.hostname))
}

const isThisMachine = (name: string): boolean =>
  ['127.0.0.1', '[::1]', 'localhost'].includes(name) || name.endsWith('.localhost')
