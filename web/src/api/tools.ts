import type { Client } from '@modelcontextprotocol/client'
import * as v from 'valibot'
import { AppError, WireError } from '#shared/errors.ts'
import { toAppError } from './failure.ts'

export interface Progress {
  readonly progress: number
  readonly total?: number | undefined
  readonly message?: string | undefined
}

export interface CallOptions {
  /** Aborting it stops the work at the server as well. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

/** What a tool answered, whatever it is. */
export interface ToolAnswer {
  /** The answer as a model reads it. */
  readonly text: string
  /** The fields of a success, without `success`. */
  readonly fields: Readonly<Record<string, unknown>>
  /** What of it is to be looked at. */
  readonly pictures: readonly Picture[]
}

export interface Picture {
  /** In base64. */
  readonly data: string
  readonly mimeType: string
}

/** A tool as the endpoint lists it. */
export interface ListedTool {
  readonly name: string
  readonly title: string
  readonly description: string
  /** JSON Schema of the arguments. */
  readonly inputSchema: unknown
  readonly isReading: boolean
  readonly isDestructive: boolean
}

export interface Tools {
  /** Calls a tool by its declaration. Rejects with AppError: what the tool refused, or what kept it from answering. */
  call<Tool extends CallableTool>(
    tool: Tool,
    args: ToolArguments<Tool>,
    options?: CallOptions,
  ): Promise<ToolResult<Tool>>
  /** The same by name, for a tool that the person chose. The arguments are the server's to judge. */
  callByName(name: string, args: Record<string, unknown>, options?: CallOptions): Promise<ToolAnswer>
  /** All tools of the endpoint. Rejects with AppError. */
  list(options?: Pick<CallOptions, 'signal'>): Promise<readonly ListedTool[]>
  /** The text of a resource. Rejects with AppError. */
  readResource(uri: string, signal?: AbortSignal): Promise<string>
}

/** The part of a declaration that a call needs. */
export interface CallableTool {
  readonly name: string
  readonly input: v.GenericSchema<unknown, Record<string, unknown>>
  readonly output: v.GenericSchema<unknown, Record<string, unknown>>
}

/** Arguments as they are written: an id is any text until the server has looked at it. */
export type ToolArguments<Tool extends CallableTool> = v.InferInput<Tool['input']>
export type ToolResult<Tool extends CallableTool> = v.InferOutput<Tool['output']>

const StructuredContent = v.looseObject({ success: v.boolean() })
const ResourceText = v.tuple([v.looseObject({ text: v.string() })])
const TextContent = v.array(v.looseObject({ type: v.string(), text: v.optional(v.string(), '') }))
const PictureContent = v.object({ type: v.literal('image'), data: v.string(), mimeType: v.string() })

/** Silence longer than this means that nobody works on the call any more: progress comes at least every ten seconds. */
const SILENCE_MS = 60_000

/** `client` is asked for with each call, so that it can be opened late and again. */
export function createTools(client: () => Promise<Client>): Tools {
  const callByName: Tools['callByName'] = async (name, args, { signal, onProgress } = {}) => {
    let result: Awaited<ReturnType<Client['callTool']>>
    try {
      const opened = await client()
      result = await opened.callTool(
        { name, arguments: args },
        {
          timeout: SILENCE_MS,
          resetTimeoutOnProgress: true,
          onprogress: (progress: Progress) => onProgress?.(progress),
          ...(signal === undefined ? {} : { signal }),
        },
      )
    } catch (error) {
      throw toAppError(error, signal)
    }
    const text = v.parse(TextContent, result.content).find(({ type }) => type === 'text')?.text ?? ''
    const structured = v.safeParse(StructuredContent, result.structuredContent)
    if (!structured.success) throw new AppError('internal', text === '' ? 'The tool answered nothing' : text)
    const { success, ...fields } = structured.output
    if (!success || result.isError === true) {
      const refusal = v.safeParse(WireError, fields.error)
      throw refusal.success ? AppError.fromWire(refusal.output) : new AppError('internal', text)
    }
    const pictures = result.content.flatMap((block) => {
      const picture = v.safeParse(PictureContent, block)
      return picture.success ? [{ data: picture.output.data, mimeType: picture.output.mimeType }] : []
    })
    return { text, fields, pictures }
  }

  return {
    callByName,
    async list({ signal } = {}) {
      try {
        const { tools } = await (await client()).listTools(undefined, signal === undefined ? {} : { signal })
        return tools.map(({ name, title, description, inputSchema, annotations }) => ({
          name,
          title: title ?? name,
          description: description ?? '',
          inputSchema,
          isReading: annotations?.readOnlyHint === true,
          // As the protocol has it: a tool that says nothing may destroy.
          isDestructive: annotations?.readOnlyHint !== true && annotations?.destructiveHint !== false,
        }))
      } catch (error) {
        throw toAppError(error, signal)
      }
    },
    async readResource(uri, signal) {
      try {
        const opened = await client()
        const { contents } = await opened.readResource({ uri }, { ...(signal === undefined ? {} : { signal }) })
        return v.parse(ResourceText, contents)[0].text
      } catch (error) {
        throw toAppError(error, signal)
      }
    },
    async call<Tool extends CallableTool>(tool: Tool, args: ToolArguments<Tool>, options?: CallOptions) {
      const { fields } = await callByName(tool.name, args as Record<string, unknown>, options)
      const parsed = v.safeParse(tool.output, fields)
      if (!parsed.success) {
        throw new AppError('internal', `Cannot read the answer of ${tool.name}: the server is of another version`, {
          hint: 'Reload the page',
        })
      }
      return parsed.output
    },
  }
}
