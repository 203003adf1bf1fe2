import type { namingStyles } from './structure-schema.ts'

/** A way of writing names. */
export interface NameStyle {
  /** As the settings call it. */
  readonly name: (typeof namingStyles)[number]
  readonly fits: (name: string) => boolean
}

// Letters without case, as of Chinese, fit every style that has small letters. Each pattern reads a name once.
const patterns: Readonly<Record<NameStyle['name'], RegExp>> = {
  snake_case: /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}]*(?:_[\p{Ll}\p{Lo}\p{N}]+)*$/u,
  camelCase: /^[\p{Ll}\p{Lo}][\p{L}\p{N}]*$/u,
  PascalCase: /^[\p{Lu}\p{Lo}][\p{L}\p{N}]*$/u,
  'kebab-case': /^[\p{Ll}\p{Lo}\p{N}]+(?:-[\p{Ll}\p{Lo}\p{N}]+)*$/u,
  UPPER_CASE: /^[\p{Lu}\p{Lo}][\p{Lu}\p{Lo}\p{N}]*(?:_[\p{Lu}\p{Lo}\p{N}]+)*$/u,
  any: /^/u,
}

const toStyle = (name: NameStyle['name']): NameStyle => ({
  name,
  // Underscores around a name say who may use it, not how it is written.
  fits: (text) => patterns[name].test(text.replace(/^_+/u, '').replace(/_+$/u, '')),
})

/** Every style, by its name. */
export const nameStyles: Readonly<Record<NameStyle['name'], NameStyle>> = {
  snake_case: toStyle('snake_case'),
  camelCase: toStyle('camelCase'),
  PascalCase: toStyle('PascalCase'),
  'kebab-case': toStyle('kebab-case'),
  UPPER_CASE: toStyle('UPPER_CASE'),
  any: toStyle('any'),
}
