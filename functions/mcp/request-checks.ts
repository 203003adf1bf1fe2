import {
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
  TRACEPARENT_META_KEY,
} from '@modelcontextprotocol/server'

/** Nothing here ever answers with a state for the client to send back, so one that comes was made up. */
export function refuseRequestState({ mcpReq }: ServerContext): void {
  if (mcpReq.requestState() === undefined) return
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid requestState: nothing here gives one out')
}

/** W3C trace context of the message. It is only passed through where it is one: it can end up in logs. */
export function checkTraceparent({ mcpReq }: ServerContext): void {
  const traceparent = mcpReq._meta?.[TRACEPARENT_META_KEY]
  if (traceparent === undefined) return
  if (
    typeof traceparent !== 'string' ||
    !/^(?!ff)[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(traceparent)
  ) {
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid traceparent: not a W3C trace context')
  }
}
