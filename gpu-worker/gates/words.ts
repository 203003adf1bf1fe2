const identifiers = /[\p{L}_$][\p{L}\p{N}_$]*/gu

/** The names that stand in a text, whole. */
export const identifiersIn = (text: string): ReadonlySet<string> => new Set(text.match(identifiers) ?? [])

/** Words of a text or a name in lower case, between blanks: `createUser`, `create_user` and `Create user` are the same. */
export function toWords(text: string): string {
  const parted = text.replace(/([\p{Ll}\p{N}])(?=\p{Lu})/gu, '$1 ')
  return ` ${(parted.match(/[\p{L}\p{N}]+/gu) ?? []).join(' ').toLowerCase()} `
}
