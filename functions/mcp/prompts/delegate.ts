import { findWriter, MESSAGE, quote, REFUSALS, RUNNING } from './parts.ts'
import type { PromptDeclaration } from './prompt.ts'

export const delegate: PromptDeclaration = {
  name: 'delegate',
  title: 'Delegate a task',
  description: 'Have the local model make one change in one file, and judge what it did.',
  arguments: [
    { name: 'task', description: 'What to change', kind: 'text', required: true },
    { name: 'agent_id', description: 'The agent that is to do it', kind: 'agent', required: false },
    { name: 'path', description: 'The file to change', kind: 'path', required: false },
  ],
  needs: [
    'create_agent',
    'list_agents',
    'chat_with_agent',
    'list_files',
    'read_file',
    'git_commit',
    'get_job',
    'get_server_info',
  ],
  write: (values, writer) => `Delegate this task to the local model through Millwright; do not write the code yourself.

${quote(values.task ?? '')}

1. The writer. ${findWriter(values, writer)}
2. The message. ${MESSAGE}
3. Call chat_with_agent with agent_id, message and context. Where a wrong change would be costly, set mode to "propose": nothing is written until you call again with accept set to the proposal_id. ${RUNNING}
4. Judge the diff in the answer; do not read the file again. Does it do all of the task, and nothing else? Are names, types and edge cases right? Checks that passed prove form, not sense.
5. If something is wrong, call chat_with_agent again with a message that says what and how it must be instead. If the whole change is wrong, take it back first: chat_with_agent with message "revert" and revert set to the job_id.
6. If the task needs several files, do one file after the other, first the one that the others build on.
7. Tell the user in a few lines what changed, in which file, and what is left. Commit (git_commit with a message and agent_id) only if the user asked for it.

${REFUSALS}`,
}
