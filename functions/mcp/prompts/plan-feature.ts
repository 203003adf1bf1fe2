import { MESSAGE, quote, REFUSALS, RUNNING } from './parts.ts'
import type { PromptDeclaration } from './prompt.ts'

export const planFeature: PromptDeclaration = {
  name: 'plan_feature',
  title: 'Plan a feature',
  description: 'Split a feature over several agents, one file each, and see it through.',
  arguments: [
    { name: 'feature', description: 'What is to be built', kind: 'text', required: true },
    { name: 'paths', description: 'Files that it concerns, divided by commas', kind: 'paths', required: false },
  ],
  needs: [
    'create_agent',
    'list_agents',
    'chat_with_agent',
    'list_files',
    'read_file',
    'git_diff',
    'git_commit',
    'get_job',
    'get_server_info',
  ],
  write: (
    values,
  ) => `Plan this feature over several files, have one agent write each through Millwright, and see that the parts fit. You plan and judge; the local model types.

${quote(values.feature ?? '')}

1. Look. ${
    values.paths === undefined
      ? 'list_files shows the repository; read_file what the feature touches.'
      : `read_file these, and what they import: ${values.paths}.`
  } list_agents shows who owns what; get_server_info that the model is ready.
2. Plan. Write a table before the first call: file, new or changed, agent, what it gives to the others (exact names, parameters, types, errors), what it needs from them. One file, one agent; a file that would grow beyond about 200 lines becomes two. Put shared types and interfaces into a file of their own: it comes first. Show the user the table; where the wish can be read in two ways, ask.
3. Make the agents that are missing: create_agent with a short agent_id, managed_file, and a system_prompt of one or two sentences. Every file of the plan has its agent before the work begins.
4. Work in waves: first what needs nothing, then what needs only files that are done. Within a wave, start each task with chat_with_agent and wait_seconds 0, then collect the results with get_job: tasks of different agents run at the same time, those of one agent one after the other.
5. ${MESSAGE}
Copy the names and signatures from your table word for word into each message, and name the finished files that it builds on in context.
6. ${RUNNING} Judge each diff against the table before the next wave. If a signature came out otherwise, have it mended now: all that follows builds on it.
7. Last wave: tests, each test file with its own agent, with the tested file in context. If you have run_tests, run it, else ask the user to; what fails goes back to the agent of the file that is wrong, with the failure in the message.
8. git_diff once over everything: do the parts fit? Then report by file: done, left, refused. If the user wants it committed, git_commit with all paths of the plan in one commit. If the feature is given up, take each file back by the job_id of its task (chat_with_agent with revert), newest first.

${REFUSALS}`,
}
