/** Text of files and paths for a terminal: what would move its cursor, hide or turn the text is shown by its number. */
export const toPlainText = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`)
