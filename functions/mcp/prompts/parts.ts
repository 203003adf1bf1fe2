import type { Values, Writer } from './prompt.ts'

// Parts that several prompts share. They name tools of `?tools=core` only; where another tool helps, they say "if you have".

/** How the writer of the file is found, or who it is. */
export function findWriter(values: Values, writer: Writer | null): string {
  if (writer !== null) return `Agent "${writer.agent_id}" is the only writer of ${writer.managed_file}. Use it.`
  const { path } = values
  if (path !== undefined) {
    return `No agent is known to manage ${path}. Make one: create_agent with a short agent_id, managed_file "${path}" and a system_prompt of one or two sentences (its role, the style of the repository). If that is refused with file_already_managed, use the agent that the refusal names.`
  }
  return 'Choose the one file to change (list_files, read_file). list_agents with query set to its path shows its agent; without one, create_agent: a short agent_id, managed_file, and a system_prompt of one or two sentences (its role, the style of the repository).'
}

/** What a small model needs to be told. */
export const MESSAGE = `Write the message for a small model that sees its own file, the files that you name in context (read only), and nothing else of this conversation:
- one change per call, with the exact names, types and signatures, the edge cases, and what must stay as it is;
- in words, not in code: the model does the typing;
- context, such as {"models": "src/models.py"}, for each file whose names it must use, and no others.`

export const RUNNING =
  'If the answer has state "running" or "queued", call get_job with its job_id and wait_seconds 50 until the state is final. Never give the task a second time meanwhile.'

export const REFUSALS = `How to read a refusal (error.code; the file is then as it was, and error.hint says what to do next):
- checks_failed: details.checks says which rule broke and details.diff shows the best try. Call again and name the remedy, or ask for a smaller step. Refused twice: split the task, or tell the user what does not work.
- not_owner, file_already_managed: the message names the agent whose file it is. Give that agent the task.
- conflict: somebody changed the file meanwhile. Read it again, then decide anew.
- context_overflow: name fewer files in context, or shorten the message; a file that is too long by itself has to be split.
- protected_path, outside_repository: not allowed here, by design. Do not look for a way around; tell the user.
- busy, rate_limited: wait details.retry_after_ms, then call again.
- model_unavailable, worker_offline: get_server_info says why. Tell the user and stop.
- Anything else: do what error.hint says, once; if that does not help, tell the user what was refused and stop.`

/** The user's own words, apart from ours. */
export const quote = (text: string): string => text.trim().replace(/^/gm, '> ')
