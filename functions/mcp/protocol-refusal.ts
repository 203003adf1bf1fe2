import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from '@modelcontextprotocol/server'
import type { AppError, ErrorCode } from '#shared/errors.ts'
import { refusalLine } from '#shared/tools/refusal-text.ts'
import { TRANSPORT_ERROR } from '../http/json-rpc.ts'

/** What the caller can mend by asking for something else. */
const wrongRequest: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'invalid_input',
  'not_found',
  'forbidden',
  'protected_path',
  'outside_repository',
  'too_large',
])

/**
 * A refusal of what is no tool, and so has no result to carry it: the line that a model reads as the message, and the same
 * `code`, `message` and `hint` as a tool's in `data`. A resource that is not there is told as the protocol demands, with its
 * `uri` alone in `data`.
 */
export function toProtocolError(refusal: AppError, uri?: string): ProtocolError {
  const error = refusal.toWire()
  const line = refusalLine(error)
  if (refusal.code === 'not_found' && uri !== undefined) return new ResourceNotFoundError(uri, line)
  if (refusal.code === 'internal') return new ProtocolError(ProtocolErrorCode.InternalError, line, error)
  return new ProtocolError(
    wrongRequest.has(refusal.code) ? ProtocolErrorCode.InvalidParams : TRANSPORT_ERROR,
    line,
    error,
  )
}
