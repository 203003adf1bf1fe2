import {
  inputRequired,
  inputResponse,
  ProtocolError,
  ProtocolErrorCode,
  type Server,
} from '@modelcontextprotocol/server'
import type { McpExtension } from '#functions/mcp/extension.ts'
import { embedded, image, PNG_BASE64, text } from './content.ts'
import { inputTools, promptContext, requestState } from './input-tools.ts'
import { createTaskTools } from './task-tools.ts'
import type { TaskKeeper } from './tasks.ts'
import { plainTools } from './tools.ts'

// The fixtures that the protocol's official tests expect of a server.

const resources = [
  { uri: 'test://static-text', name: 'static-text', mimeType: 'text/plain' },
  { uri: 'test://static-binary', name: 'static-binary', mimeType: 'image/png' },
  { uri: 'test://watched-resource', name: 'watched-resource', mimeType: 'text/plain' },
]
const resourceTemplates = [{ uriTemplate: 'test://template/{id}/data', name: 'template', mimeType: 'application/json' }]
const prompts = [
  { name: 'test_simple_prompt', description: 'Says one thing' },
  {
    name: 'test_prompt_with_arguments',
    description: 'Says its arguments',
    arguments: [
      { name: 'arg1', required: true },
      { name: 'arg2', required: true },
    ],
  },
  {
    name: 'test_prompt_with_embedded_resource',
    description: 'Holds a resource',
    arguments: [{ name: 'resourceUri', required: true }],
  },
  { name: 'test_prompt_with_image', description: 'Holds a picture' },
  { name: 'test_input_required_result_prompt', description: 'Asks before it answers' },
]
const CACHE_HINT = { ttlMs: 1000, cacheScope: 'private' } as const

function readResource(uri: string) {
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1]
  if (id !== undefined) {
    const data = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` })
    return { ...CACHE_HINT, contents: [{ uri, mimeType: 'application/json', text: data }] }
  }
  if (uri === 'test://static-binary') {
    return { ...CACHE_HINT, contents: [{ uri, mimeType: 'image/png', blob: PNG_BASE64 }] }
  }
  if (!resources.some((resource) => resource.uri === uri)) {
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Resource not found: ${uri}`, { uri })
  }
  const value = uri === 'test://static-text' ? 'This is the content of the static text resource.' : 'Watched'
  return { ...CACHE_HINT, contents: [{ uri, mimeType: 'text/plain', text: value }] }
}

const say = (...content: Parameters<typeof toMessages>) => ({ messages: toMessages(...content) })
function toMessages(...content: (ReturnType<typeof text> | typeof image | ReturnType<typeof embedded>)[]) {
  return content.map((each) => ({ role: 'user' as const, content: each }))
}

const handlers: Record<string, (server: Server) => void> = {
  'resources/list': (server) => server.setRequestHandler('resources/list', () => ({ ...CACHE_HINT, resources })),
  'resources/templates/list': (server) =>
    server.setRequestHandler('resources/templates/list', () => ({ ...CACHE_HINT, resourceTemplates })),
  'resources/read': (server) => server.setRequestHandler('resources/read', ({ params }) => readResource(params.uri)),
  'prompts/list': (server) => server.setRequestHandler('prompts/list', () => ({ ...CACHE_HINT, prompts })),
  'prompts/get': (server) =>
    server.setRequestHandler('prompts/get', ({ params: { name, arguments: args = {} } }, { mcpReq }) => {
      switch (name) {
        case 'test_simple_prompt':
          return say(text('This is a simple prompt for testing.'))
        case 'test_prompt_with_arguments':
          return say(text(`Prompt with arguments: arg1='${args.arg1}', arg2='${args.arg2}'`))
        case 'test_prompt_with_embedded_resource':
          return say(
            embedded(String(args.resourceUri), 'text/plain', 'Embedded resource content for testing.'),
            text('Please process the embedded resource above.'),
          )
        case 'test_prompt_with_image':
          return say(image, text('Please analyze the image above.'))
        case 'test_input_required_result_prompt':
          return inputResponse(mcpReq.inputResponses, 'user_context').kind === 'missing'
            ? inputRequired({ inputRequests: { user_context: promptContext } })
            : say(text('Prompt with the context that was asked for'))
        default:
          throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown prompt: ${name}`)
      }
    }),
  'completion/complete': (server) =>
    server.setRequestHandler('completion/complete', () => ({ completion: { values: [], total: 0, hasMore: false } })),
  'resources/subscribe': (server) => server.setRequestHandler('resources/subscribe', () => ({})),
  'resources/unsubscribe': (server) => server.setRequestHandler('resources/unsubscribe', () => ({})),
}

export function createConformanceExtension(tasks: TaskKeeper): McpExtension {
  const tools = [...plainTools, ...inputTools, ...createTaskTools(tasks)]
  return {
    capabilities: { logging: {}, resources: { subscribe: true } },
    requestState,
    tasks,
    tools: new Map(tools.map((tool) => [tool.listed.name, tool])),
    methods: new Set(Object.keys(handlers)),
    register: (server, method) => handlers[method]?.(server),
  }
}
