import * as v from 'valibot'
import { EDITS_MAX, LIST_FILES_PAGE_MAX, NAME_CHARACTERS_MAX, SEARCH_MATCHES_MAX } from '../protocol/limits.ts'
import { Complexity, Violation } from '../schemas/check.ts'
import { agentUpdateFile, getAgentFile } from './agent-files.ts'
import { changes, defineTool, reads, removes } from './define-tool.ts'
import { agentId, confirm, cursor, expectedSha256, fileContent, lineLimit, lineOffset, path } from './fields.ts'

const actingAgent = v.optional(agentId)
const glob = v.pipe(v.string(), v.minLength(1), v.maxLength(NAME_CHARACTERS_MAX))
const written = agentUpdateFile.output

export const readFile = defineTool({
  name: 'read_file',
  family: 'files',
  place: 'worker',
  core: true,
  title: 'Read file',
  description: 'Read a text file of the repository, by lines.',
  input: v.strictObject({ path, offset: v.optional(lineOffset), limit: v.optional(lineLimit) }),
  output: getAgentFile.output,
  annotations: reads,
  toText: getAgentFile.toText,
})

export const writeFile = defineTool({
  name: 'write_file',
  family: 'files',
  place: 'worker',
  core: false,
  title: 'Write file',
  description: 'Create or replace a file if it passes the checks. A managed file needs the agent_id of its owner.',
  input: v.strictObject({
    path,
    content: fileContent,
    agent_id: actingAgent,
    expected_sha256: v.optional(expectedSha256),
    confirm,
  }),
  output: written,
  annotations: { ...changes, idempotentHint: true },
  toText: agentUpdateFile.toText,
})

export const updateFile = defineTool({
  name: 'update_file',
  family: 'files',
  place: 'worker',
  core: false,
  title: 'Edit file',
  description: 'Replace exact text in a file: each search must occur once, or set all. All edits apply or none.',
  input: v.strictObject({
    path,
    edits: v.pipe(
      v.array(
        v.strictObject({
          search: v.pipe(fileContent, v.minLength(1)),
          replace: fileContent,
          all: v.optional(v.boolean()),
        }),
      ),
      v.minLength(1),
      v.maxLength(EDITS_MAX),
    ),
    agent_id: actingAgent,
    expected_sha256: v.optional(expectedSha256),
    dry_run: v.optional(v.boolean()),
  }),
  output: written,
  annotations: changes,
  toText: agentUpdateFile.toText,
})

export const deleteFile = defineTool({
  name: 'delete_file',
  family: 'files',
  place: 'worker',
  core: false,
  title: 'Delete file',
  description: "Delete a file. Its bytes stay in git's object store as the returned blob.",
  input: v.strictObject({ path, agent_id: actingAgent, expected_sha256: v.optional(expectedSha256), confirm }),
  output: v.strictObject({ path: v.string(), deleted: v.literal(true), recoverable_as: v.string() }),
  annotations: { ...removes, idempotentHint: false },
  toText: (result) => `Deleted ${result.path}; its bytes: git cat-file blob ${result.recoverable_as}`,
})

export const listFiles = defineTool({
  name: 'list_files',
  family: 'files',
  place: 'worker',
  core: true,
  title: 'List files',
  description: 'List files and folders below path, with owners. glob as in **/*.py.',
  input: v.strictObject({
    path: v.optional(path),
    glob: v.optional(glob),
    cursor: v.optional(cursor),
    limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(LIST_FILES_PAGE_MAX))),
  }),
  output: v.strictObject({
    entries: v.array(
      v.strictObject({
        path: v.string(),
        kind: v.picklist(['file', 'folder', 'link', 'other']),
        bytes: v.nullable(v.number()),
        owner: v.nullable(v.string()),
      }),
    ),
    next_cursor: v.nullable(v.string()),
  }),
  annotations: reads,
  toText: ({ entries, next_cursor }) =>
    [
      ...entries.map((entry) => {
        const name = entry.kind === 'folder' ? `${entry.path}/` : entry.path
        return `${name}${entry.kind === 'link' ? ' (link)' : ''}${entry.owner === null ? '' : `  owner ${entry.owner}`}`
      }),
      ...(next_cursor === null ? [] : [`More: cursor ${next_cursor}`]),
      ...(entries.length === 0 ? ['No files'] : []),
    ].join('\n'),
})

export const searchFiles = defineTool({
  name: 'search_files',
  family: 'files',
  place: 'worker',
  core: false,
  title: 'Search files',
  description: 'Search text files, line by line; regex takes RE2 syntax.',
  input: v.strictObject({
    pattern: v.pipe(v.string(), v.minLength(1), v.maxLength(1000)),
    regex: v.optional(v.boolean()),
    glob: v.optional(glob),
    limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(SEARCH_MATCHES_MAX))),
  }),
  output: v.strictObject({
    matches: v.array(v.strictObject({ path: v.string(), line: v.number(), text: v.string() })),
    truncated: v.boolean(),
    /** Files that were not searched, or only in part: too large, not UTF-8 text, with lines too long for a regex. */
    files_skipped: v.number(),
  }),
  annotations: reads,
  toText: ({ matches, truncated }) =>
    [
      ...matches.map((match) => `${match.path}:${match.line}: ${match.text}`),
      ...(matches.length === 0 ? ['No match'] : []),
      ...(truncated ? ['[more matches: narrow the search]'] : []),
    ].join('\n'),
})

export const validateFile = defineTool({
  name: 'validate_file',
  family: 'files',
  place: 'worker',
  core: false,
  title: 'Check file',
  description: 'Run the checks on a file, or on content as if it stood at file_path. Writes nothing.',
  input: v.pipe(
    v.strictObject({
      path: v.optional(path),
      content: v.optional(fileContent),
      file_path: v.optional(path),
    }),
    v.check(
      (input) => (input.path === undefined) !== (input.content === undefined && input.file_path === undefined),
      'give either path, or content with file_path',
    ),
    v.check(
      (input) => (input.content === undefined) === (input.file_path === undefined),
      'content and file_path belong together',
    ),
  ),
  output: v.strictObject({
    path: v.string(),
    passed: v.boolean(),
    ran: v.array(v.string()),
    skipped: v.array(v.strictObject({ rule: v.string(), reason: v.string() })),
    violations: v.array(Violation),
    syntax_errors: v.array(v.strictObject({ line: v.number(), column: v.number(), message: v.string() })),
    line_count: v.number(),
    /** With the most complex functions only, where there are very many. */
    complexity: v.nullable(Complexity),
  }),
  annotations: reads,
  toText: (result) =>
    [
      `${result.path}: ${result.passed ? 'passed' : 'failed'}, ${result.line_count} lines${
        result.complexity === null
          ? ''
          : `, cyclomatic ${result.complexity.cyclomatic}, cognitive ${result.complexity.cognitive}`
      }`,
      ...result.violations.map(
        (violation) =>
          `- ${violation.severity} ${violation.rule}${violation.line === null ? '' : ` (line ${violation.line})`}: ${violation.message}`,
      ),
      ...result.skipped.map((skip) => `- not checked ${skip.rule}: ${skip.reason}`),
    ].join('\n'),
})
