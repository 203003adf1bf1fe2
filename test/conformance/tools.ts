import type { CallToolResult, ServerContext } from '@modelcontextprotocol/server'
import type { ExtensionTool } from '#functions/mcp/extension.ts'
import { embedded, image, text, WAV_BASE64 } from './content.ts'
import keywords from './keywords.schema.json' with { type: 'json' }
import { pause } from './pause.ts'

// Tools that the official tests call by name: docs of each are in the suite's own scenarios.

const PAUSE_MS = 50

type InputSchema = ExtensionTool['listed']['inputSchema']
const noArguments: InputSchema = { type: 'object', properties: {} }
const oneText = (name: string): InputSchema => ({
  type: 'object',
  properties: { [name]: { type: 'string' } },
  required: [name],
})

function tool(name: string, call: ExtensionTool['call'], inputSchema: InputSchema = noArguments): ExtensionTool {
  return { listed: { name, description: `Serves the official tests: ${name}`, inputSchema }, call }
}

const says = (name: string, ...content: CallToolResult['content']) => tool(name, async () => ({ content }))

type Form = Extract<Parameters<ServerContext['mcpReq']['elicitInput']>[0], { requestedSchema: unknown }>

const forms: Record<string, Form['requestedSchema']['properties']> = {
  test_elicitation_sep1034_defaults: {
    name: { type: 'string', description: 'User name', default: 'John Doe' },
    age: { type: 'integer', description: 'User age', default: 30 },
    score: { type: 'number', description: 'User score', default: 95.5 },
    status: { type: 'string', description: 'User status', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', description: 'Verification status', default: true },
  },
  test_elicitation_sep1330_enums: {
    untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    titledSingle: { type: 'string', oneOf: titled('First Option', 'Second Option', 'Third Option') },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: {
      type: 'array',
      minItems: 1,
      maxItems: 3,
      items: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    },
    titledMulti: {
      type: 'array',
      minItems: 1,
      maxItems: 3,
      items: { anyOf: titled('First Choice', 'Second Choice', 'Third Choice') },
    },
  },
}

function titled(...titles: string[]) {
  return titles.map((title, index) => ({ const: `value${index + 1}`, title }))
}

/** Asks the client of a session, in the way of 2025-11-25: a request of ours, while the call waits. */
async function elicit({ mcpReq }: ServerContext, message: string, requestedSchema: Form['requestedSchema']) {
  // On the call's own stream: a client need not have another.
  const options = { relatedRequestId: mcpReq.id }
  const { action, content = {} } = await mcpReq.elicitInput({ message, requestedSchema }, options)
  return { content: [text(`User response: action=${action}, content=${JSON.stringify(content)}`)] }
}

export const plainTools: readonly ExtensionTool[] = [
  says('test_simple_text', text('This is a simple text response for testing.')),
  says('test_image_content', image),
  says('test_audio_content', { type: 'audio', data: WAV_BASE64, mimeType: 'audio/wav' }),
  says(
    'test_embedded_resource',
    embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.'),
  ),
  says(
    'test_multiple_content_types',
    text('Multiple content types test:'),
    image,
    embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
  ),
  tool('test_error_handling', async () => ({
    isError: true,
    content: [text('This tool intentionally returns an error for testing')],
  })),

  tool('test_tool_with_logging', async (_args, { mcpReq }) => {
    for (const message of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await mcpReq.log('info', message)
      await pause(PAUSE_MS)
    }
    return { content: [text('Logged three times')] }
  }),
  tool('test_logging_tool', async (_args, { mcpReq }) => {
    await mcpReq.log('info', 'Only for those who asked for it')
    return { content: [text('Done')] }
  }),

  tool('test_tool_with_progress', async (_args, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } })
      }
      await pause(PAUSE_MS)
    }
    return { content: [text(String(progressToken))] }
  }),

  tool(
    'test_sampling',
    async ({ prompt }, { mcpReq }) => {
      const messages = [{ role: 'user' as const, content: text(String(prompt)) }]
      const answer = await mcpReq.requestSampling({ messages, maxTokens: 100 })
      return { content: [text(`LLM response: ${JSON.stringify(answer.content)}`)] }
    },
    oneText('prompt'),
  ),
  tool(
    'test_elicitation',
    ({ message }, context) =>
      elicit(context, String(message), {
        type: 'object',
        properties: { username: { type: 'string' }, email: { type: 'string' } },
        required: ['username', 'email'],
      }),
    oneText('message'),
  ),
  ...Object.entries(forms).map(([name, properties]) =>
    tool(name, (_args, context) => elicit(context, 'Please fill in', { type: 'object', properties })),
  ),

  // Not of the official tests: says on the session's own stream that it was cancelled, since a cancelled call has no answer.
  tool('wait_until_cancelled', async (_args, { mcpReq }, server) => {
    await new Promise((resolve) => mcpReq.signal.addEventListener('abort', resolve))
    await server.notification({ method: 'notifications/message', params: { level: 'info', data: 'Cancelled' } })
    return { content: [] }
  }),

  tool('json_schema_2020_12_tool', async (args) => ({ content: [text(JSON.stringify(args))] }), {
    ...keywords,
    type: 'object',
  }),
]
