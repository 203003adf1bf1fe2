/** The outline of a message, as it was parsed and before anything in it is trusted. */
export interface JsonRpcMessage {
  readonly method?: unknown
  readonly id?: unknown
  readonly params?: unknown
}

export const paramsOf = ({ params }: JsonRpcMessage): Record<string, unknown> =>
  typeof params === 'object' && params !== null ? { ...params } : {}
