import { AppError } from '#shared/errors.ts'

/** A method whose failing store is `unavailable`, with the cause kept for the log. Planned refusals pass as they are. */
export function guarded<Values extends unknown[], Result>(
  what: string,
  method: (...values: Values) => Result | Promise<Result>,
): (...values: Values) => Promise<Result> {
  return async (...values) => {
    try {
      return await method(...values)
    } catch (cause) {
      if (cause instanceof AppError) throw cause
      throw new AppError('unavailable', `Cannot use ${what}: its store failed`, {
        cause,
        hint: 'Try again; if it stays so, the operator finds the cause in the log',
      })
    }
  }
}
