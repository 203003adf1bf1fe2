import { findWriter, MESSAGE, quote, REFUSALS, RUNNING } from './parts.ts'
import type { PromptDeclaration } from './prompt.ts'

export const review: PromptDeclaration = {
  name: 'review',
  title: 'Review changes',
  description: 'Review what is not yet committed, and have the agents mend what is wrong.',
  arguments: [
    { name: 'agent_id', description: "Only this agent's file", kind: 'agent', required: false },
    { name: 'path', description: 'Only this file', kind: 'path', required: false },
    {
      name: 'focus',
      description: 'What to look for above all',
      kind: 'text',
      required: false,
      suggestions: ['correctness', 'error handling', 'naming', 'performance', 'security', 'tests'],
    },
  ],
  needs: [
    'create_agent',
    'list_agents',
    'chat_with_agent',

    'read_file',
    'git_status',
    'git_diff',
    'get_job',
    'get_server_info',
  ],
  write(values, writer) {
    const path = writer?.managed_file ?? values.path
    const scope =
      path === undefined
        ? 'git_status shows the changed files; git_diff with path shows one of them. Take them one by one.'
        : `git_diff with path "${path}" shows the change. If it is empty there is nothing to review: say so and stop.`
    const focus = values.focus === undefined ? '' : `\n\nAbove all, look for:\n\n${quote(values.focus)}`
    return `Review the uncommitted changes of this repository, and let the local model mend what is wrong.${focus}

1. What changed. ${scope} If you can read resources, millwright://rules says what the checks have already judged: do not repeat it.
2. Read the change as its caller would. Look for what checks cannot see: wrong results at the edges (empty, zero, missing, very large), errors that are swallowed, names that say something else than the code does, changes that nobody asked for, other files that relied on the old behaviour (read_file them where you must).
3. For each thing that is wrong, note the file, the line, what happens and what should. Leave out taste.
4. Unsure what was meant? chat_with_agent with mode "ask" answers about the agent's file and changes nothing. Treat the answer as a hint: it comes from a small model.
5. Mend. The writer: ${path === undefined ? 'list_agents with query set to the path shows whose file it is.' : findWriter(values, writer)} Call chat_with_agent once for each thing, worst first. ${MESSAGE}
${RUNNING} Read the diff of each answer before the next call. If you have run_tests, run it at the end.
6. Report to the user: what you found, what was mended, what is left and why, in order of weight. If all is well, say that in one line. Do not commit unless the user asked.

${REFUSALS}`
  },
}
