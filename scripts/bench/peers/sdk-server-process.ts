import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { Hono } from 'hono'
import * as v from 'valibot'
import { readFile as readFileTool } from '#shared/tools/files.ts'

// What a person writes who only wants this one tool: the SDK's handler behind Hono, as its guide shows it, and a tool that
// reads the file in the server's own process. No token, no checks of the path, no worker, no NATS.

const { root, port } = v.parse(v.object({ root: v.string(), port: v.number() }), JSON.parse(process.argv[2] ?? ''))
const inputSchema = toStandardJsonSchema(v.object({ path: v.string() }))
const outputSchema = toStandardJsonSchema(
  v.object({
    success: v.literal(true),
    path: v.string(),
    content: v.string(),
    sha256: v.string(),
    line_count: v.number(),
    next_offset: v.null(),
  }),
)

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'bare', version: '1.0.0' })
  const { name, title, description } = readFileTool
  server.registerTool(name, { title, description, inputSchema, outputSchema }, async ({ path }) => {
    const bytes = await readFile(join(root, path))
    const content = bytes.toString('utf8')
    return {
      content: [{ type: 'text', text: content }],
      structuredContent: {
        success: true as const,
        path,
        content,
        sha256: createHash('sha256').update(bytes).digest('hex'),
        line_count: content.split('\n').length - 1,
        next_offset: null,
      },
    }
  })
  return server
})

const app = new Hono()
app.all('/mcp', (context) => handler.fetch(context.req.raw))
const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port }, () => process.send?.({ type: 'ready' }))
const stop = () => {
  server.close()
  process.exit(0)
}
process.once('SIGTERM', stop)
process.once('disconnect', stop)
