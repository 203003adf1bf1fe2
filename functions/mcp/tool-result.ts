import type { CallToolResult } from '@modelcontextprotocol/server'
import type { AppError } from '#shared/errors.ts'
import { toolToText } from '#shared/tools/catalogue.ts'
import type { ToolDeclaration } from '#shared/tools/define-tool.ts'
import { refusalToText } from '#shared/tools/refusal-text.ts'

/** A success: the fields for programs, and the same written for a model. */
export function toSuccess(tool: ToolDeclaration, fields: Record<string, unknown>): CallToolResult {
  return {
    structuredContent: { success: true, ...fields },
    content: [{ type: 'text', text: toolToText(tool, fields) }],
  }
}

/** A refusal. Its text holds all that a model needs to do better. */
export function toFailure(refusal: AppError): CallToolResult {
  const error = refusal.toWire()
  return {
    isError: true,
    structuredContent: { success: false, error },
    content: [{ type: 'text', text: refusalToText(error) }],
  }
}
