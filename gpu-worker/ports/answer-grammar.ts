/**
 * What an answer in JSON may be. Narrower than JSON Schema on purpose: everything is bounded, so that no answer can run
 * on for ever, and whatever the grammar lets through the schema does too. Strings count in UTF-16 units.
 */
export type AnswerSchema =
  | { readonly type: 'string'; readonly maxLength: number }
  | { readonly type: 'string'; readonly enum: readonly string[] }
  | { readonly type: 'integer'; readonly minimum: number; readonly maximum: number }
  | { readonly type: 'boolean' }
  | { readonly type: 'array'; readonly items: AnswerSchema; readonly minItems: number; readonly maxItems: number }
  | {
      readonly type: 'object'
      readonly properties: Readonly<Record<string, AnswerSchema>>
      readonly required: readonly string[]
      readonly additionalProperties: false
    }

/** Edits of numbered lines, from top to bottom: `Replace 3-5`, `Delete 7-7`, `Insert after 9`, new text in fences. */
export interface EditsGrammar {
  readonly kind: 'edits'
  /** Of the text that is edited; lines count from 1. */
  readonly lines: number
  /** Behind an opening fence; may be empty. */
  readonly info: string
  /** Backticks of a fence, at least three. */
  readonly fenceLength: number
}

/** The form that an answer must have. */
export type AnswerGrammar =
  /** In llama.cpp's notation, with the rule `root`. */
  | { readonly kind: 'gbnf'; readonly text: string }
  | { readonly kind: 'json'; readonly schema: AnswerSchema }
  | EditsGrammar
