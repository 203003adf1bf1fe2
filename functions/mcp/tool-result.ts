import type { CallToolResult } from '@modelcontextprotocol/server'
import * as v from 'valibot'
import type { AppError, WireError } from '#shared/errors.ts'
import { Checks } from '#shared/schemas/check.ts'
import { toolToText } from '#shared/tools/catalogue.ts'
import type { ToolDeclaration } from '#shared/tools/define-tool.ts'
import { checksToText, diffToText } from '#shared/tools/fields.ts'
import { refusedReportToText } from '#shared/tools/orchestrate.ts'

/** A success: the fields for programs, and the same written for a model. */
export function toSuccess(tool: ToolDeclaration, fields: Record<string, unknown>): CallToolResult {
  return {
    structuredContent: { success: true, ...fields },
    content: [{ type: 'text', text: toolToText(tool, fields) }],
  }
}

/** A refusal's code, message and hint, as a model reads them. */
export const refusalLine = ({ code, message, hint }: WireError): string =>
  `${code}: ${message}${hint === undefined ? '' : `. ${hint}`}`

/** A refusal. Its text holds all that a model needs to do better: the checks that failed, the diff that was refused. */
export function toFailure(refusal: AppError): CallToolResult {
  const error = refusal.toWire()
  const lines = [refusalLine(error)]
  const checks = v.safeParse(Checks, error.details?.checks)
  if (checks.success) lines.push(checksToText(checks.output))
  if (typeof error.details?.diff === 'string' && error.details.diff !== '') lines.push(diffToText(error.details.diff))
  lines.push(...refusedReportToText(error))
  return {
    isError: true,
    structuredContent: { success: false, error },
    content: [{ type: 'text', text: lines.join('\n') }],
  }
}
