import { AppError, type ErrorCode } from '#shared/errors.ts'
import type { SignInReason } from '#shared/sign-in.ts'

/** A refusal with a stable reason in `details.reason`, for a page that says it in its own words. */
export const signInRefusal = (code: ErrorCode, reason: SignInReason, message: string, hint: string): AppError =>
  new AppError(code, message, { hint, details: { reason } })
