import { useSyncExternalStore } from 'react'

/** The address after `#/`: the name of a view, and what it is to show. */
export interface Route {
  readonly view: string
  readonly rest: readonly string[]
}

/** `#/agents/a%20b` is the view `agents` with `a b`. What cannot be decoded is taken as it is written. */
export function parseHash(hash: string): Route {
  const [view = '', ...rest] = hash
    .replace(/^#?\/?/, '')
    .split('/')
    .filter((part) => part !== '')
    .map(decode)
  return { view, rest }
}

/** The address of a view, for a link. */
export const toHash = (view: string, ...rest: readonly string[]): string =>
  `#/${[view, ...rest].map(encodeURIComponent).join('/')}`

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

const subscribe = (listener: () => void) => {
  window.addEventListener('hashchange', listener)
  return () => window.removeEventListener('hashchange', listener)
}

/** The fragment of the page's address, as text; see `parseHash`. */
export const useHash = (): string => useSyncExternalStore(subscribe, () => window.location.hash)
