import * as v from 'valibot'

// Fields that several rules of `millwright.json` share.

export const PATTERN_CHARACTERS_MAX = 500
export const ENTRIES_MAX = 50

export const Weight = v.pipe(
  v.picklist(['error', 'warning', 'off']),
  v.description('error: refused, warning: reported, off: not run'),
)

export const limit = (text: string) =>
  v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000), v.description(text))

export const Glob = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(PATTERN_CHARACTERS_MAX),
  v.description('A glob of repository paths: *, **, ?, [a-z], {a,b}; without a slash it is a name in any folder'),
)

export const Pattern = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(PATTERN_CHARACTERS_MAX),
  v.description('An RE2 expression'),
)
