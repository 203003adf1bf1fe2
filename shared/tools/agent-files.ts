import * as v from 'valibot'
import { Checks } from '../schemas/check.ts'
import { changes, defineTool, reads } from './define-tool.ts'
import {
  agentId,
  checksToText,
  confirm,
  diffToText,
  expectedSha256,
  fileContent,
  lineLimit,
  lineOffset,
} from './fields.ts'

export const getAgentFile = defineTool({
  name: 'get_agent_file',
  family: 'agent_files',
  place: 'worker',
  core: false,
  title: "Read an agent's file",
  description: "Read an agent's file.",
  input: v.strictObject({ agent_id: agentId, offset: v.optional(lineOffset), limit: v.optional(lineLimit) }),
  output: v.strictObject({
    path: v.string(),
    content: v.string(),
    sha256: v.string(),
    line_count: v.number(),
    next_offset: v.nullable(v.number()),
  }),
  annotations: reads,
  toText: ({ content, next_offset }) => (next_offset === null ? content : `${content}\n[more: offset ${next_offset}]`),
})

export const agentUpdateFile = defineTool({
  name: 'agent_update_file',
  family: 'agent_files',
  place: 'worker',
  core: false,
  title: "Write an agent's file",
  description: "Replace an agent's file with content you wrote, if it passes the checks.",
  input: v.strictObject({
    agent_id: agentId,
    content: fileContent,
    expected_sha256: v.optional(expectedSha256),
    confirm,
  }),
  output: v.strictObject({
    path: v.string(),
    changed: v.boolean(),
    diff: v.string(),
    diff_truncated: v.boolean(),
    checks: Checks,
    sha256: v.string(),
  }),
  annotations: { ...changes, idempotentHint: true },
  toText: ({ diff, checks }) => `${diffToText(diff)}\n${checksToText(checks)}`,
})
