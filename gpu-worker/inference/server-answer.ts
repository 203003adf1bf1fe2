/**
 * The answer of a model that thinks aloud, without its thoughts, for servers that do not tell them apart. Thoughts stand at
 * the very start; ones that have no end leave no answer.
 */
export function withoutThoughts(text: string): string {
  const opening = /^\s*<think>/.exec(text)
  if (opening === null) return text
  const end = text.indexOf('</think>')
  return end === -1 ? '' : text.slice(end + '</think>'.length).trimStart()
}
