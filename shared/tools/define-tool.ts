import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { WireError } from '../errors.ts'

export const toolFamilies = [
  'agents',
  'agent_files',
  'files',
  'git',
  'checks',
  'templates',
  'improvement',
  'jobs',
  'system',
] as const
export type ToolFamily = (typeof toolFamilies)[number]

/**
 * Who serves a tool: `edge` from the registry alone, `worker` by a short call, `job` through the work queue.
 * An edge tool may ask the worker for what only the worker can see.
 */
export type ToolPlace = 'edge' | 'worker' | 'job'

export interface ToolAnnotations {
  readOnlyHint: boolean
  destructiveHint: boolean
  idempotentHint: boolean
}

type ObjectSchema = v.GenericSchema<unknown, Record<string, unknown>>

export interface ToolDeclaration<
  Name extends string = string,
  Input extends ObjectSchema = ObjectSchema,
  Output extends ObjectSchema = ObjectSchema,
  Place extends ToolPlace = ToolPlace,
> {
  readonly name: Name
  readonly family: ToolFamily
  readonly place: Place
  /** Part of `?tools=core`. */
  readonly core: boolean
  readonly title: string
  readonly description: string
  readonly input: Input
  /** Fields of a success beside `success: true`. */
  readonly output: Output
  readonly annotations: ToolAnnotations
  /** The success written for a model to read: file text as text, a diff as a diff, a list as short lines. */
  readonly toText: (result: v.InferOutput<Output>) => string
}

export type ToolInput<T extends { input: ObjectSchema }> = v.InferOutput<T['input']>
export type ToolOutput<T extends { output: ObjectSchema }> = v.InferOutput<T['output']>

/** Declares a tool. The one place that edge, worker, page and tests learn of it. */
export function defineTool<
  const Name extends string,
  Input extends ObjectSchema,
  Output extends ObjectSchema,
  const Place extends ToolPlace,
>(declaration: ToolDeclaration<Name, Input, Output, Place>): ToolDeclaration<Name, Input, Output, Place> {
  return declaration
}

/** Annotations of the four kinds of tool that we have. */
export const reads: ToolAnnotations = { readOnlyHint: true, destructiveHint: false, idempotentHint: true }
export const adds: ToolAnnotations = { readOnlyHint: false, destructiveHint: false, idempotentHint: false }
export const changes: ToolAnnotations = { readOnlyHint: false, destructiveHint: true, idempotentHint: false }
export const removes: ToolAnnotations = { readOnlyHint: false, destructiveHint: true, idempotentHint: true }

/** A refusal as a tool result's `structuredContent`. */
export const ToolRefusal = v.object({ success: v.literal(false), error: WireError })
export type ToolRefusal = v.InferOutput<typeof ToolRefusal>

// Brands and checks have no counterpart in JSON Schema; they still hold where the value is parsed.
const ignoreActions = ['brand', 'check', 'partial_check', 'transform']

/** JSON Schema (2020-12) of a tool's arguments. Throws for a schema that cannot be shown to clients. */
export function toInputJsonSchema(tool: ToolDeclaration): Record<string, unknown> {
  // Nothing is transformed, so what comes out of a pipe is what goes in; its last schema is the one that says most.
  return withoutDialect(toJsonSchema(tool.input as v.GenericSchema, { ignoreActions, typeMode: 'output' }))
}

/** JSON Schema of a tool's `structuredContent`: the success or a refusal. The v1 client validates both. */
export function toOutputJsonSchema(tool: ToolDeclaration): Record<string, unknown> {
  const success = withoutDialect(toJsonSchema(tool.output as v.GenericSchema, { ignoreActions, typeMode: 'output' }))
  const properties = { success: { const: true }, ...(success.properties as Record<string, unknown>) }
  const required = ['success', ...((success.required as string[] | undefined) ?? [])]
  const refusal = withoutDialect(toJsonSchema(ToolRefusal, { ignoreActions, typeMode: 'output' }))
  return { type: 'object', anyOf: [{ ...success, properties, required }, refusal] }
}

function withoutDialect(schema: object): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = schema as Record<string, unknown>
  return rest
}
