import type { ChatTurn } from '../ports/language-model.ts'

/** The part of a tokenizer that encoding needs. `control`: texts of control tokens become these tokens. */
export interface Tokenizer {
  tokenize(text: string, control: boolean): number[]
}

/**
 * Encodes a text without any special token. The engine leaves control tokens alone in plain text, but what a vocabulary
 * calls "user defined" (`<tool_call>` in Qwen2.5) it finds everywhere; a text that holds one is cut inside it and
 * encoded in pieces, so the model reads its letters.
 */
export type EncodePlain = (text: string) => number[]

export function createPlainEncoder(tokenizer: Tokenizer, userDefined: readonly string[]): EncodePlain {
  const texts = userDefined.filter((text) => text.length > 1).sort((a, b) => b.length - a.length)
  if (texts.length === 0) return (text) => tokenizer.tokenize(text, false)
  const pattern = new RegExp(texts.map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'g')
  return (text) => {
    const tokens: number[] = []
    let start = 0
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const end = match.index + cutInside(match[0])
      for (const token of tokenizer.tokenize(text.slice(start, end), false)) tokens.push(token)
      start = end
      pattern.lastIndex = end
    }
    for (const token of tokenizer.tokenize(text.slice(start), false)) tokens.push(token)
    return tokens
  }
}

/** After the first word, where the splitter that runs before the merges would cut as well: `<tool` and `_call>`. */
function cutInside(text: string): number {
  const word = /^[^\p{L}]*\p{L}+/u.exec(text)?.[0].length ?? 0
  return word > 0 && word < text.length ? word : 1
}

export const CHATML_START = '<|im_start|>'
export const CHATML_END = '<|im_end|>'

/** Whether the model's own template is ChatML, as all of Qwen's are, with both marks as single tokens. */
export function usesChatMl(template: string | undefined, tokenizer: Tokenizer): boolean {
  return (
    template?.includes(CHATML_START) === true &&
    template.includes(CHATML_END) &&
    tokenizer.tokenize(CHATML_START, true).length === 1 &&
    tokenizer.tokenize(CHATML_END, true).length === 1
  )
}

/**
 * ChatML as Qwen2.5's template writes it, ending with the opened answer. Between two marks the role and the text are one
 * run of plain text, which is how a template that is rendered first and encoded then comes out.
 */
export function encodeChatMl(turns: readonly ChatTurn[], tokenizer: Tokenizer, plain: EncodePlain): number[] {
  const start = tokenizer.tokenize(CHATML_START, true)
  const end = tokenizer.tokenize(CHATML_END, true)
  const newline = tokenizer.tokenize('\n', false)
  const tokens: number[] = []
  const put = (more: readonly number[]) => {
    for (const token of more) tokens.push(token)
  }
  for (const { role, text } of turns) {
    put(start)
    put(plain(`${role}\n${text}`))
    put(end)
    put(newline)
  }
  put(start)
  put(plain('assistant\n'))
  return tokens
}
