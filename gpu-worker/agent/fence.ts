/** Backticks of the shortest fence that no fence in a text can close. */
export function fenceLength(text: string): number {
  return (text.match(/`{3,}/g) ?? []).reduce((most, run) => Math.max(most, run.length), 2) + 1
}

/** Lines as they are shown to a model, in a fence with a name. */
export function fenced(name: string, text: string, length: number): string {
  const mark = '`'.repeat(length)
  return `${mark}${name}\n${text === '' || text.endsWith('\n') ? text : `${text}\n`}${mark}`
}

/** A text as models are shown it: with LF line ends and without a byte-order mark. */
export const shownText = (text: string): string => text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n')
