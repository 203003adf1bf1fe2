/**
 * Which pages of other origins may call which addresses from a browser (the CORS protocol of the Fetch standard). None, unless
 * the operator names them. What such a page may do is what its token allows: no cookie is ever asked for or taken, so credentials
 * are never allowed, and a page gets nothing that a program without a browser could not get.
 */
export interface Cors {
  /** The caller's origin where its pages may call this address; null for everybody else, and where no page is meant at all. */
  originOf(request: Request): string | null
  /** The answer to the browser's question before a call; undefined for what is no such question. Needs no token, as browsers send none. */
  preflight(request: Request): Response | undefined
  /** Lets the page read an answer, and nobody else's page. */
  sign(request: Request, response: Response): void
}

/** What MCP and OAuth clients call. The pages of sign-in and consent are missing on purpose: they are for people, on our own origin. */
const paths = /^\/(?:mcp|auth\/.+|\.well-known\/.+|oauth\/(?:token|register))$/

const METHODS = 'GET, POST, DELETE'
/** `*` would not cover `Authorization`. */
const REQUEST_HEADERS = [
  'Accept',
  'Authorization',
  'Content-Type',
  'Last-Event-ID',
  'Mcp-Method',
  'Mcp-Name',
  'Mcp-Protocol-Version',
  'Mcp-Session-Id',
].join(', ')
const RESPONSE_HEADERS = ['Mcp-Session-Id', 'Retry-After', 'WWW-Authenticate'].join(', ')
/** Browsers keep the answer for two hours at most, whatever they are told. */
const PREFLIGHT_SECONDS = 7200

/** `origins` as a browser writes them: scheme, name, and the port where it is not the scheme's own. */
export function createCors(origins: readonly string[]): Cors {
  const allowed = new Set(origins)
  const isMeant = (request: Request): boolean => allowed.size > 0 && paths.test(new URL(request.url).pathname)
  const originOf = (request: Request): string | null => {
    const origin = request.headers.get('origin')
    return origin !== null && allowed.has(origin) && isMeant(request) ? origin : null
  }
  return {
    originOf,
    preflight(request) {
      const isPreflight = request.method === 'OPTIONS' && request.headers.has('access-control-request-method')
      if (!isPreflight || originOf(request) === null) return undefined
      return new Response(null, {
        status: 204,
        headers: {
          'access-control-allow-methods': METHODS,
          'access-control-allow-headers': REQUEST_HEADERS,
          'access-control-max-age': String(PREFLIGHT_SECONDS),
        },
      })
    },
    sign(request, response) {
      const origin = originOf(request)
      if (isMeant(request)) response.headers.append('vary', 'Origin')
      if (origin === null) {
        // The OAuth library lets every page read its answers.
        for (const name of [...response.headers.keys()]) {
          if (name.startsWith('access-control-')) response.headers.delete(name)
        }
        return
      }
      response.headers.set('access-control-allow-origin', origin)
      response.headers.set('access-control-expose-headers', RESPONSE_HEADERS)
    },
  }
}
