import * as v from 'valibot'

export const Severity = v.picklist(['error', 'warning'])
export type Severity = v.InferOutput<typeof Severity>

/** One thing that a check found. `message` tells a model what to do; `line` and `column` count from 1. */
export const Violation = v.strictObject({
  rule: v.string(),
  severity: Severity,
  message: v.string(),
  line: v.nullable(v.number()),
  column: v.nullable(v.number()),
})
export type Violation = v.InferOutput<typeof Violation>

/** The verdict on one file. `passed` is false as soon as one violation has severity `error`. */
export const Checks = v.strictObject({
  passed: v.boolean(),
  /** Rules that ran. */
  ran: v.array(v.string()),
  /** Rules that could not run, and why: a language without a grammar is said, never passed silently. */
  skipped: v.array(v.strictObject({ rule: v.string(), reason: v.string() })),
  violations: v.array(Violation),
})
export type Checks = v.InferOutput<typeof Checks>

/**
 * Figures of one function. `line` counts from 1; `lines` are those from its first to its last. `nesting` counts the control
 * structures that stand in each other at its deepest place; `parameters` leaves out what a method belongs to (`self`).
 */
export const FunctionComplexity = v.strictObject({
  name: v.string(),
  line: v.number(),
  cyclomatic: v.number(),
  cognitive: v.number(),
  lines: v.number(),
  nesting: v.number(),
  parameters: v.number(),
})
export type FunctionComplexity = v.InferOutput<typeof FunctionComplexity>

/** Complexity of a file: the highest of its functions (and of its top level), and each function. */
export const Complexity = v.strictObject({
  cyclomatic: v.number(),
  cognitive: v.number(),
  functions: v.array(FunctionComplexity),
})
export type Complexity = v.InferOutput<typeof Complexity>
