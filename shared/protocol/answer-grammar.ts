import * as v from 'valibot'

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

const AnswerSchema: v.GenericSchema<AnswerSchema> = v.lazy(() =>
  v.union([
    v.strictObject({ type: v.literal('string'), maxLength: v.number() }),
    v.strictObject({ type: v.literal('string'), enum: v.array(v.string()) }),
    v.strictObject({ type: v.literal('integer'), minimum: v.number(), maximum: v.number() }),
    v.strictObject({ type: v.literal('boolean') }),
    v.strictObject({ type: v.literal('array'), items: AnswerSchema, minItems: v.number(), maxItems: v.number() }),
    v.strictObject({
      type: v.literal('object'),
      properties: v.record(v.string(), AnswerSchema),
      required: v.array(v.string()),
      additionalProperties: v.literal(false),
    }),
  ]),
)

/** The form that an answer must have. */
export const AnswerGrammar = v.variant('kind', [
  /** In llama.cpp's notation, with the rule `root`. */
  v.strictObject({ kind: v.literal('gbnf'), text: v.string() }),
  v.strictObject({ kind: v.literal('json'), schema: AnswerSchema }),
  /** Edits of numbered lines, from top to bottom: `Replace 3-5`, `Delete 7-7`, `Insert after 9`, new text in fences. */
  v.strictObject({
    kind: v.literal('edits'),
    /** Of the text that is edited; lines count from 1. */
    lines: v.number(),
    /** Behind an opening fence; may be empty. */
    info: v.string(),
    /** Backticks of a fence, at least three. */
    fenceLength: v.number(),
  }),
])
export type AnswerGrammar = v.InferOutput<typeof AnswerGrammar>
export type EditsGrammar = Extract<AnswerGrammar, { kind: 'edits' }>
