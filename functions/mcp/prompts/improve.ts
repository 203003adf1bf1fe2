import { findWriter, MESSAGE, quote, REFUSALS, RUNNING } from './parts.ts'
import type { PromptDeclaration } from './prompt.ts'

export const improve: PromptDeclaration = {
  name: 'improve',
  title: 'Improve a file',
  description: 'Make one file better in small steps, each of which is kept only if it is proven.',
  arguments: [
    { name: 'path', description: 'The file', kind: 'path', required: false },
    { name: 'agent_id', description: 'Or the agent whose file it is', kind: 'agent', required: false },
    {
      name: 'goal',
      description: 'What should be better',
      kind: 'text',
      required: false,
      suggestions: ['documentation', 'error handling', 'less complexity', 'performance', 'readability', 'type hints'],
    },
  ],
  needs: [
    'create_agent',
    'list_agents',
    'chat_with_agent',
    'list_files',
    'read_file',
    'git_diff',
    'get_job',
    'get_server_info',
  ],
  write: (
    values,
    writer,
  ) => `Improve one file with the local model through Millwright, in small steps, without changing what it does for its callers.${
    values.goal === undefined ? '' : `\n\nWhat should be better:\n\n${quote(values.goal)}`
  }

1. The writer. ${findWriter(values, writer)}
2. Begin from a clean state: git_diff with the path. If it shows changes that are not yours, tell the user and stop.
3. Measure. read_file the file once; if you have analyze_code_quality, it gives complexity, duplication and issues as numbers. If you have run_tests, run it. Write down what you will compare with.
4. Choose at most five steps, the one with the most effect first. A step is one idea in one place: name a function to split, an error to handle, a docstring to add. Leave out what only moves lines. If you have refactor_code, it does a step of that kind and keeps it only if figures and tests prove it.
5. For each step call chat_with_agent with mode "propose". ${MESSAGE}
${RUNNING}
6. Judge the proposed diff. Keep it (chat_with_agent with message "accept" and accept set to the proposal_id) only if it does the step and nothing else, public names and signatures are as they were, and the measure did not get worse. Otherwise let it go: nothing was written. Propose it once more with what was wrong, then go to the next step.
7. After the last step measure again, tests too. If it is no better than at the start, take your steps back, newest first: chat_with_agent with message "revert" and revert set to the job_id of the accepting call.
8. Tell the user each step, kept or let go, with the numbers before and after. Commit only if the user asked.

${REFUSALS}`,
}
