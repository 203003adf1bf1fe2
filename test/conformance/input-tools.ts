import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  type InputRequest,
  inputRequired,
  inputResponse,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { ExtensionTool, McpExtension } from '#functions/mcp/extension.ts'
import { text } from './content.ts'

// Tools of the official tests that ask the client for something, in the way of 2026-07-28: the answer comes with a repeated call.

let sealed: ReturnType<typeof createRequestStateCodec<number>> | undefined
/** Made with the first use: where a program is only being loaded, some runtimes give no random bytes. */
function codec() {
  sealed ??= createRequestStateCodec<number>({ key: crypto.getRandomValues(new Uint8Array(32)) })
  return sealed
}
/** Refuses what a tool has not given out. */
export const requestState: NonNullable<McpExtension['requestState']> = {
  verify: (state, context) => codec().verify(state, context),
}

const ask = (message: string, property: string) =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { [property]: { type: 'string' } }, required: [property] },
  })
const askModel = (prompt: string, maxTokens: number) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: text(prompt) }], maxTokens })
const answersOf = ({ mcpReq }: ServerContext) => mcpReq.inputResponses
const has = (context: ServerContext, key: string): boolean => inputResponse(answersOf(context), key).kind !== 'missing'
const done = (value: string) => ({ content: [text(value)] })

const calls: Record<string, ExtensionTool['call']> = {
  async test_input_required_result_elicitation(_args, context) {
    const answer = acceptedContent<{ name: string }>(answersOf(context), 'user_name')
    return typeof answer?.name === 'string'
      ? done(`Hello, ${answer.name}!`)
      : inputRequired({ inputRequests: { user_name: ask('What is your name?', 'name') } })
  },

  async test_input_required_result_sampling(_args, context) {
    const answer = inputResponse(answersOf(context), 'capital_question')
    return has(context, 'capital_question')
      ? done(JSON.stringify(answer))
      : inputRequired({ inputRequests: { capital_question: askModel('What is the capital of France?', 100) } })
  },

  async test_input_required_result_list_roots(_args, context) {
    const answer = inputResponse(answersOf(context), 'client_roots')
    return has(context, 'client_roots')
      ? done(JSON.stringify(answer))
      : inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
  },

  test_input_required_result_request_state: (_args, context) => confirmWithState(context, 'state-ok'),
  test_input_required_result_tampered_state: (_args, context) => confirmWithState(context, 'state-ok'),

  async test_input_required_result_multiple_inputs(_args, context) {
    const inputRequests: Record<string, InputRequest> = {
      user_name: ask('What is your name?', 'name'),
      greeting: askModel('Generate a greeting', 50),
      client_roots: inputRequired.listRoots(),
    }
    const isWhole = Object.keys(inputRequests).every((key) => has(context, key))
    return isWhole && context.mcpReq.requestState<number>() === 1
      ? done('All three answers are there')
      : inputRequired({ inputRequests, requestState: await codec().mint(1, context) })
  },

  async test_input_required_result_multi_round(_args, context) {
    const round = context.mcpReq.requestState<number>() ?? 0
    if (round >= 2 && has(context, 'step2')) return done('Both steps are done')
    if (round >= 1 && has(context, 'step1')) {
      const step2 = ask('Step 2: What is your favorite color?', 'color')
      return inputRequired({ inputRequests: { step2 }, requestState: await codec().mint(2, context) })
    }
    const step1 = ask('Step 1: What is your name?', 'name')
    return inputRequired({ inputRequests: { step1 }, requestState: await codec().mint(1, context) })
  },

  async test_input_required_result_capabilities(_args, context) {
    // What the client has declared with this very message.
    const envelope: Record<string, unknown> = { ...context.mcpReq.envelope }
    const clientCapabilities = Object(envelope[CLIENT_CAPABILITIES_META_KEY])
    return inputRequired({
      inputRequests: {
        ...('sampling' in clientCapabilities ? { sample: askModel('Say hello', 10) } : {}),
        ...('elicitation' in clientCapabilities ? { name: ask('What is your name?', 'name') } : {}),
      },
    })
  },

  test_missing_capability: async () => inputRequired({ inputRequests: { sample: askModel('Say hello', 10) } }),
  test_streaming_elicitation: async () =>
    inputRequired({ inputRequests: { user_name: ask('What is your name?', 'name') } }),
}

async function confirmWithState(context: ServerContext, answer: string) {
  if (context.mcpReq.requestState<number>() === 1 && has(context, 'confirm')) return done(answer)
  const confirm = inputRequired.elicit({
    message: 'Please confirm',
    requestedSchema: { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] },
  })
  return inputRequired({ inputRequests: { confirm }, requestState: await codec().mint(1, context) })
}

export const inputTools: readonly ExtensionTool[] = Object.entries(calls).map(([name, call]) => ({
  listed: { name, description: 'Asks the client for input', inputSchema: { type: 'object', properties: {} } },
  call,
}))

/** What a prompt of the official tests asks for. */
export const promptContext = ask('What context should the prompt use?', 'context')
