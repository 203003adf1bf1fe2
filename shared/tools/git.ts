import * as v from 'valibot'
import { COMMIT_MESSAGE_CHARACTERS_MAX } from '../protocol/limits.ts'
import { adds, defineTool, reads } from './define-tool.ts'
import { agentId, cursor, diffToText, limit, path } from './fields.ts'

export const gitStatus = defineTool({
  name: 'git_status',
  family: 'git',
  place: 'worker',
  core: true,
  title: 'Git status',
  description: 'Branch and changed files.',
  input: v.strictObject({}),
  output: v.strictObject({
    /** Null where HEAD is detached. */
    branch: v.nullable(v.string()),
    head: v.nullable(v.string()),
    ahead: v.number(),
    behind: v.number(),
    /** `index` and `worktree` are git's own letters (` ` for unchanged, `?` for untracked). */
    files: v.array(v.strictObject({ path: v.string(), index: v.string(), worktree: v.string() })),
    truncated: v.boolean(),
  }),
  annotations: reads,
  toText: ({ branch, ahead, behind, files, truncated }) =>
    [
      `On ${branch ?? 'a detached HEAD'}${ahead + behind > 0 ? `, ahead ${ahead}, behind ${behind}` : ''}`,
      ...(files.length === 0 ? ['Nothing changed'] : files.map((file) => `${file.index}${file.worktree} ${file.path}`)),
      ...(truncated ? ['[more files not shown]'] : []),
    ].join('\n'),
})

export const gitDiff = defineTool({
  name: 'git_diff',
  family: 'git',
  place: 'worker',
  core: true,
  title: 'Git diff',
  description: 'Changes of the work tree against revision (default HEAD), or staged changes only.',
  input: v.strictObject({
    path: v.optional(path),
    staged: v.optional(v.boolean()),
    revision: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(200))),
    cursor: v.optional(cursor),
  }),
  output: v.strictObject({
    diff: v.string(),
    /** More follows: under `next_cursor`, or, where that is null, only path by path. */
    diff_truncated: v.boolean(),
    next_cursor: v.nullable(v.string()),
    /** These three count the whole diff. */
    files_changed: v.number(),
    insertions: v.number(),
    deletions: v.number(),
  }),
  annotations: reads,
  toText: ({ diff, diff_truncated, next_cursor, files_changed, insertions, deletions }) =>
    [
      `${files_changed} files changed, ${insertions} insertions, ${deletions} deletions`,
      ...(diff === '' ? [] : [diffToText(diff)]),
      ...(next_cursor === null ? [] : [`[cut: the rest with cursor ${next_cursor}]`]),
      ...(diff_truncated && next_cursor === null ? ['[cut: too long to show whole, ask for one path at a time]'] : []),
    ].join('\n'),
})

export const gitCommit = defineTool({
  name: 'git_commit',
  family: 'git',
  place: 'worker',
  core: true,
  title: 'Git commit',
  description:
    "Commit the named paths, or the agent's file, or (neither given) what was written through this server. Staged work of others is left alone.",
  input: v.strictObject({
    message: v.pipe(v.string(), v.minLength(1), v.maxLength(COMMIT_MESSAGE_CHARACTERS_MAX)),
    paths: v.optional(v.pipe(v.array(path), v.minLength(1), v.maxLength(1000))),
    agent_id: v.optional(agentId),
  }),
  output: v.strictObject({ commit: v.string(), branch: v.string(), files: v.array(v.string()) }),
  annotations: adds,
  toText: ({ commit, branch, files }) => `Committed ${commit.slice(0, 12)} on ${branch}: ${files.join(', ')}`,
})

export const gitLog = defineTool({
  name: 'git_log',
  family: 'git',
  place: 'worker',
  core: false,
  title: 'Git log',
  description: 'Commits, newest first.',
  input: v.strictObject({ limit: v.optional(limit), path: v.optional(path), cursor: v.optional(cursor) }),
  output: v.strictObject({
    commits: v.array(
      v.strictObject({
        commit: v.string(),
        author: v.string(),
        date: v.string(),
        subject: v.string(),
        body: v.string(),
      }),
    ),
    next_cursor: v.nullable(v.string()),
  }),
  annotations: reads,
  toText: ({ commits, next_cursor }) =>
    [
      ...(commits.length === 0 ? ['No commits'] : []),
      ...commits.map((commit) => `${commit.commit.slice(0, 12)} ${commit.date} ${commit.author}: ${commit.subject}`),
      ...(next_cursor === null ? [] : [`More: cursor ${next_cursor}`]),
    ].join('\n'),
})
