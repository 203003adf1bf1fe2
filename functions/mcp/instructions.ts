const always = `Millwright lets you delegate typing to a local model that works in one git repository.
- create_agent gives an agent exactly one file. Only that agent's tools can change the file.
- chat_with_agent is the main tool: say what to do in plain words, name other files in context. The model writes the whole file, checks judge it, and you get the diff, the checks and the cost. A refused change leaves the file as it was.
- Delegate writing, then review the diff; do not repeat the file's text back. Give small tasks, one per call.
- A call that is still running after wait_seconds returns a job_id: call get_job until its state is final. Pass idempotency_key to repeat a call safely.
- mode "propose" writes nothing; accept its proposal_id to write exactly those bytes. mode "ask" only answers. revert with a job_id takes back what that job wrote.
- Nothing is committed until git_commit. git_diff and git_status show what changed.
- A failed call has error.code, error.message and a hint that says what to do next. get_server_info says why a model or worker is not ready.`

/** Each for whoever has the tools that it needs. */
const further: readonly { readonly needs: readonly string[]; readonly line: string }[] = [
  {
    needs: ['run_tests', 'run_all_validations'],
    line: "Before you call work done: run_tests runs the repository's own tests, run_all_validations its rules.",
  },
  {
    needs: [
      'analyze_code_quality',
      'refactor_code',
      'generate_documentation',
      'generate_tests',
      'optimize_performance',
      'orchestrate_improvement',
    ],
    line: 'To make code better: analyze_code_quality says what is wrong with a file; refactor_code, generate_documentation, generate_tests and optimize_performance keep only what is proven; orchestrate_improvement does that for many files.',
  },
  {
    needs: ['list_templates', 'generate_from_template'],
    line: 'For a file of a known kind, list_templates and generate_from_template need no model.',
  },
  { needs: ['report_bug'], line: 'report_bug keeps what you found and did not mend.' },
]

/** What the model of a client with these tools reads before its first call. Paid for in tokens by everyone: short. */
export const instructionsFor = (tools: ReadonlySet<string>): string =>
  [
    always,
    ...further.filter(({ needs }) => needs.every((name) => tools.has(name))).map(({ line }) => `- ${line}`),
  ].join('\n')
