import { RE2JS } from 're2js'
import { AppError } from '#shared/errors.ts'
import { createGlob } from '../workspace/glob.ts'

/** Where the repository's rules stand. */
export const SETTINGS_PATH = 'millwright.json'

export type PathMatcher = (path: string) => boolean

/** A glob of the settings. Throws `invalid_input`, naming the key. */
export function toMatcher(glob: string, key: string): PathMatcher {
  try {
    return createGlob(glob)
  } catch (cause) {
    throw wrongKey(key, 'brackets or braces of the glob do not match', cause)
  }
}

/** A pattern of RE2, which runs in linear time whatever it is. Throws `invalid_input`, naming the key. */
export function toPattern(expression: string, key: string): RE2JS {
  let pattern: RE2JS
  try {
    pattern = RE2JS.compile(expression)
  } catch (cause) {
    throw wrongKey(key, 'not an expression that RE2 can run (it has no look-around and no back-references)', cause)
  }
  if (pattern.matcher('').find()) throw wrongKey(key, 'matches the empty text, so it would match every line')
  return pattern
}

/** A setting that cannot be used, by its key. */
export const wrongKey = (key: string, reason: string, cause?: unknown): AppError =>
  new AppError('invalid_input', `Cannot read ${SETTINGS_PATH}: ${key}: ${reason}`, { cause })
