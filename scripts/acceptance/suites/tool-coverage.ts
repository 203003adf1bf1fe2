import assert from 'node:assert/strict'
import type { ErrorCode } from '#shared/errors.ts'
import { createJobId } from '#shared/ids.ts'
import type { ToolName } from '#shared/tools/catalogue.ts'
import type { Fields } from '#test/support/mcp.ts'
import type { MeasuredClient } from '../measured-client.ts'
import { type AcceptanceWorld, SCRIPTED_MODEL } from '../world.ts'

/** How a tool is shown to work, and to refuse. */
export interface ToolCoverage {
  /** Has the tool do what it is named after, and looks whether it did. Answers what was seen. */
  succeed(client: MeasuredClient, world: AcceptanceWorld): Promise<string>
  /** A call that must be refused, when all tools have succeeded. */
  readonly refuse: { readonly args: Fields; readonly code: ErrorCode; readonly because: string }
  /** Runs commands of the repository, which needs a sandbox on this machine. */
  readonly needsSandbox?: true
  /** Asks the model of the run. Whether its answer is any good is for suite B to say. */
  readonly needsModel?: true
}

const NO_JOB = createJobId(0, new Uint8Array(16))
const OWNED = { agent_id: 'cover', managed_file: 'cover/owned.py' }
const FREE = 'cover/free.py'
const SCRIPTED_NOTE = 'the answer was a scripted one: shown is the tool, not a model'
const unknownField = { args: { unknown: 1 }, code: 'invalid_input', because: 'an unknown field' } as const

const count = (value: unknown): number => (value as readonly unknown[]).length

const spec = {
  name: 'acceptance-constant',
  description: 'A constant',
  variables: { value: { type: 'integer', examples: [1] } },
  outputs: [{ path: 'constant.py', body: 'VALUE = {{ value }}\n' }],
}

async function own(client: MeasuredClient, agent_id: string, managed_file: string): Promise<void> {
  const model = SCRIPTED_MODEL
  await client.ok('create_agent', { agent_id, name: agent_id, managed_file, system_prompt: 'You improve code', model })
}

/** Has an improvement made and kept by the scripted model. */
async function improve(client: MeasuredClient, tool: ToolName, args: Fields): Promise<string> {
  const { changed, path, proof } = await client.job(tool, args)
  assert.equal(changed, true)
  const rules = (proof as { rule: string; proven: boolean }[]).filter(({ proven }) => proven).map(({ rule }) => rule)
  return `${path} changed, proven by ${rules.join(', ')}; ${SCRIPTED_NOTE}`
}

/** Every tool of the catalogue; one that is missing here does not compile. Later ones build on what earlier ones did. */
export const toolCoverage: Record<ToolName, ToolCoverage> = {
  create_agent: {
    async succeed(client) {
      const { agent } = await client.ok('create_agent', { ...OWNED, name: 'Cover', system_prompt: 'You write Python' })
      return `${(agent as { agent_id: string }).agent_id} owns ${OWNED.managed_file}`
    },
    refuse: {
      args: { agent_id: 'second', name: 'S', managed_file: './cover//owned.py', system_prompt: '' },
      code: 'file_already_managed',
      because: 'a second owner of a file',
    },
  },
  list_agents: {
    async succeed(client) {
      const { agents, total } = await client.ok('list_agents', {})
      assert.ok((agents as { agent_id: string }[]).some(({ agent_id }) => agent_id === OWNED.agent_id))
      return `${total} agents`
    },
    refuse: { args: { limit: 100_000 }, code: 'invalid_input', because: 'a page too large' },
  },
  get_agent_info: {
    async succeed(client) {
      const { agent } = await client.ok('get_agent_info', { agent_id: OWNED.agent_id })
      assert.equal((agent as { managed_file: string }).managed_file, OWNED.managed_file)
      return 'the agent with its file'
    },
    refuse: { args: { agent_id: 'nobody' }, code: 'not_found', because: 'no such agent' },
  },
  update_agent: {
    async succeed(client) {
      const { agent } = await client.ok('update_agent', { agent_id: OWNED.agent_id, name: 'Cover, renamed' })
      assert.equal((agent as { name: string }).name, 'Cover, renamed')
      return 'the name is another'
    },
    refuse: { args: { agent_id: 'nobody', name: 'N' }, code: 'not_found', because: 'no such agent' },
  },
  agent_update_file: {
    async succeed(client, { repository }) {
      const content = '"""A module."""\n\nX = 1\n'
      await client.ok('agent_update_file', { agent_id: OWNED.agent_id, content })
      assert.equal(repository.read(OWNED.managed_file), content)
      return 'the file is what was sent'
    },
    refuse: {
      args: { agent_id: OWNED.agent_id, content: 'def broken(:\n' },
      code: 'checks_failed',
      because: 'a syntax error',
    },
  },
  get_agent_file: {
    async succeed(client, { repository }) {
      const { content } = await client.ok('get_agent_file', { agent_id: OWNED.agent_id })
      assert.equal(content, repository.read(OWNED.managed_file))
      return 'the file as it is on disk'
    },
    refuse: { args: { agent_id: 'nobody' }, code: 'not_found', because: 'no such agent' },
  },
  chat_with_agent: {
    async succeed(client) {
      const asked = { agent_id: OWNED.agent_id, message: 'What is in your file?', mode: 'ask' }
      const { usage } = await client.job('chat_with_agent', asked)
      const { completion_tokens, model } = usage as { completion_tokens: number; model: string }
      assert.ok(completion_tokens > 0, 'The model has written nothing')
      return `${completion_tokens} tokens of ${model}`
    },
    refuse: { args: { agent_id: 'nobody', message: 'M' }, code: 'not_found', because: 'no such agent' },
    needsModel: true,
  },
  write_file: {
    async succeed(client, { repository }) {
      await client.ok('write_file', { path: FREE, content: 'Y = 1\n' })
      assert.equal(repository.read(FREE), 'Y = 1\n')
      return `${FREE} is there`
    },
    refuse: { args: { path: OWNED.managed_file, content: 'X = 2\n' }, code: 'not_owner', because: "an agent's file" },
  },
  read_file: {
    async succeed(client) {
      const { content } = await client.ok('read_file', { path: FREE })
      assert.equal(content, 'Y = 1\n')
      return 'the file as it was written'
    },
    refuse: { args: { path: '../outside' }, code: 'outside_repository', because: 'a way out of the repository' },
  },
  update_file: {
    async succeed(client, { repository }) {
      await client.ok('update_file', { path: FREE, edits: [{ search: 'Y = 1', replace: 'Y = 2' }] })
      assert.equal(repository.read(FREE), 'Y = 2\n')
      return 'the text is replaced'
    },
    refuse: {
      args: { path: 'README.md', edits: [{ search: 'not in there', replace: '' }] },
      code: 'invalid_input',
      because: 'a text that is not in the file',
    },
  },
  list_files: {
    async succeed(client) {
      const { entries } = await client.ok('list_files', { path: 'cover' })
      const found = (entries as { path: string; owner: string | null }[]).map(({ path, owner }) => [path, owner])
      assert.deepEqual(found, [
        [FREE, null],
        [OWNED.managed_file, OWNED.agent_id],
      ])
      return 'two files, one of them owned'
    },
    refuse: { args: { path: 'no/such/folder' }, code: 'not_found', because: 'no such folder' },
  },
  search_files: {
    async succeed(client) {
      const { matches } = await client.ok('search_files', { pattern: 'Y = 2' })
      assert.deepEqual(matches, [{ path: FREE, line: 1, text: 'Y = 2' }])
      return 'one match, with its line'
    },
    refuse: { args: { pattern: '(', regex: true }, code: 'invalid_input', because: 'a broken pattern' },
  },
  validate_file: {
    async succeed(client) {
      const { passed } = await client.ok('validate_file', { path: FREE })
      assert.equal(passed, true)
      return 'the checks pass'
    },
    refuse: { args: {}, code: 'invalid_input', because: 'neither path nor content' },
  },
  git_status: {
    async succeed(client) {
      const { branch, files } = await client.ok('git_status', {})
      assert.equal(branch, 'main')
      return `${count(files)} changed files on ${branch}`
    },
    refuse: unknownField,
  },
  git_diff: {
    async succeed(client) {
      const { diff } = await client.ok('git_diff', { path: FREE })
      assert.ok(String(diff).includes('+Y = 2'), 'The change is not in the diff')
      return 'the change as a diff'
    },
    refuse: { args: { revision: 'no-such-branch' }, code: 'not_found', because: 'no such revision' },
  },
  git_commit: {
    async succeed(client, { repository }) {
      const { commit } = await client.ok('git_commit', { message: 'Cover', paths: [FREE] })
      assert.equal(commit, (await repository.git('rev-parse', 'HEAD')).trim())
      return `HEAD is ${commit}`
    },
    refuse: { args: { message: 'M', paths: ['no-such-file'] }, code: 'not_found', because: 'no such file' },
  },
  git_log: {
    async succeed(client) {
      const { commits } = await client.ok('git_log', { limit: 1 })
      assert.equal((commits as { subject?: string }[])[0]?.subject, 'Cover')
      return 'the commit of before'
    },
    refuse: { args: { limit: 0 }, code: 'invalid_input', because: 'a limit of nothing' },
  },
  delete_file: {
    async succeed(client, { repository }) {
      const { recoverable_as } = await client.ok('delete_file', { path: FREE })
      assert.equal(repository.exists(FREE), false)
      assert.equal(await repository.git('cat-file', 'blob', String(recoverable_as)), 'Y = 2\n')
      return `gone, and kept as ${recoverable_as}`
    },
    refuse: { args: { path: '.git/config' }, code: 'protected_path', because: "git's own configuration" },
  },
  validate_file_length: {
    async succeed(client) {
      const { violations } = await client.ok('validate_file_length', { file_path: OWNED.managed_file, max_lines: 2 })
      assert.deepEqual(violations, { exceeds_limit: true, line_count: 3, limit: 2 })
      return '3 lines, limit 2'
    },
    refuse: { args: { file_path: 'no-such-file' }, code: 'not_found', because: 'no such file' },
  },
  run_pre_commit: {
    async succeed(client) {
      const { passed, hooks } = await client.job('run_pre_commit', { paths: [OWNED.managed_file] })
      assert.equal(passed, true)
      return `${count(hooks)} hook passed`
    },
    refuse: { args: { paths: ['no-such-file'] }, code: 'not_found', because: 'no such file' },
    needsSandbox: true,
  },
  run_tests: {
    async succeed(client) {
      const { passed, failed } = await client.job('run_tests', {})
      assert.equal(failed, 0)
      assert.ok(Number(passed) > 0, 'No test has passed')
      return `${passed} tests of the repository passed`
    },
    refuse: { args: { paths: ['no-such-test'] }, code: 'not_found', because: 'no such test file' },
    needsSandbox: true,
  },
  run_all_validations: {
    async succeed(client) {
      const { totals } = await client.job('run_all_validations', {})
      const found = Object.entries(totals as Record<string, number>).filter(([, number]) => number > 0)
      return `found: ${found.map(([rule, number]) => `${rule} ${number}`).join(', ')}`
    },
    refuse: { args: { paths: ['no/such/folder'] }, code: 'not_found', because: 'no such folder' },
  },
  check_compliance: {
    async succeed(client) {
      const { score } = await client.job('check_compliance', {})
      return `score ${score}`
    },
    refuse: { args: { paths: ['no/such/folder'] }, code: 'not_found', because: 'no such folder' },
  },
  list_templates: {
    async succeed(client) {
      const { templates } = await client.ok('list_templates', {})
      assert.ok(count(templates) > 0)
      return `${count(templates)} templates`
    },
    refuse: unknownField,
  },
  generate_from_template: {
    async succeed(client, { repository }) {
      const variables = { name: 'Parcel', description: 'A parcel', fields: [{ name: 'weight' }] }
      const output_path = 'cover/parcel.py'
      await client.ok('generate_from_template', { template: 'python-class', variables, output_path })
      assert.ok(repository.read(output_path).includes('class Parcel'))
      return `${output_path} holds the class`
    },
    refuse: { args: { template: 'no-such-template', variables: {} }, code: 'not_found', because: 'no such template' },
  },
  validate_template: {
    async succeed(client) {
      const { valid } = await client.ok('validate_template', { spec })
      assert.equal(valid, true)
      return 'a spec that is valid'
    },
    refuse: { args: {}, code: 'invalid_input', because: 'neither template nor spec' },
  },
  template_from_spec: {
    async succeed(client) {
      const { files } = await client.job('template_from_spec', { spec })
      return `wrote ${(files as string[]).join(', ')}`
    },
    refuse: { args: {}, code: 'invalid_input', because: 'neither spec nor description' },
  },
  analyze_code_quality: {
    async succeed(client) {
      const { score, language } = await client.ok('analyze_code_quality', { path: OWNED.managed_file })
      assert.equal(language, 'python')
      return `score ${score}`
    },
    refuse: { args: {}, code: 'invalid_input', because: 'neither path nor content' },
  },
  refactor_code: {
    async succeed(client) {
      await own(client, 'prices', 'src/prices.js')
      return improve(client, 'refactor_code', { agent_id: 'prices', goal: 'Reduce the nesting' })
    },
    refuse: { args: { agent_id: 'nobody', goal: 'G' }, code: 'not_found', because: 'no such agent' },
    needsSandbox: true,
  },
  generate_documentation: {
    async succeed(client) {
      await own(client, 'labels', 'src/labels.js')
      return improve(client, 'generate_documentation', { agent_id: 'labels' })
    },
    refuse: { args: { path: 'src/labels.js' }, code: 'not_owner', because: "an agent's file" },
  },
  generate_tests: {
    async succeed(client) {
      await own(client, 'ranges', 'src/ranges.js')
      return improve(client, 'generate_tests', { agent_id: 'ranges' })
    },
    refuse: { args: {}, code: 'invalid_input', because: 'neither agent nor path' },
    needsSandbox: true,
  },
  optimize_performance: {
    async succeed(client) {
      await own(client, 'rest', 'lib/rest.js')
      return improve(client, 'optimize_performance', { agent_id: 'rest', measure: 'rest' })
    },
    refuse: {
      args: { agent_id: OWNED.agent_id, measure: 'no-such-measure' },
      code: 'invalid_input',
      because: 'no such measure',
    },
    needsSandbox: true,
  },
  orchestrate_improvement: {
    async succeed(client) {
      const asked = { goal: 'Document everything', paths: ['src/ranges.js'], budget: { iterations: 2, minutes: 5 } }
      const { kept } = await client.job('orchestrate_improvement', asked)
      assert.ok(Number(kept) > 0, 'No step was kept')
      return `${kept} steps kept; ${SCRIPTED_NOTE}`
    },
    refuse: { args: { budget: { iterations: 0 } }, code: 'invalid_input', because: 'a budget of nothing' },
    needsSandbox: true,
  },
  list_jobs: {
    async succeed(client) {
      const { jobs } = await client.ok('list_jobs', {})
      assert.ok(count(jobs) > 0)
      return `${count(jobs)} jobs`
    },
    refuse: { args: { state: 'asleep' }, code: 'invalid_input', because: 'no such state' },
  },
  get_job: {
    async succeed(client) {
      const { job_id } = await client.ok('check_compliance', { wait_seconds: 0 })
      const { state } = await client.ok('get_job', { job_id, wait_seconds: 30 })
      assert.equal(state, 'succeeded')
      return `${job_id} ${state}`
    },
    refuse: { args: { job_id: NO_JOB }, code: 'not_found', because: 'no such job' },
  },
  cancel_job: {
    async succeed(client) {
      const { job_id } = await client.ok('run_all_validations', { wait_seconds: 0 })
      const { cancel_requested, state } = await client.ok('cancel_job', { job_id })
      assert.ok(cancel_requested === true || state === 'succeeded', 'The job goes on')
      return `${job_id} is ${state}`
    },
    refuse: { args: { job_id: NO_JOB }, code: 'not_found', because: 'no such job' },
  },
  get_server_info: {
    async succeed(client) {
      const { version, workers } = await client.ok('get_server_info', {})
      assert.equal(count(workers), 1)
      return `version ${version}, one worker`
    },
    refuse: unknownField,
  },
  report_bug: {
    async succeed(client, { repository }) {
      const bug = { severity: 'low', category: 'acceptance', title: 'Nothing', description: 'Nothing is wrong' }
      await client.ok('report_bug', bug)
      assert.ok(repository.read('AGENT_bugs.json').includes('Nothing is wrong'))
      return 'in AGENT_bugs.json'
    },
    refuse: {
      args: { severity: 'dreadful', category: 'C', title: 'T', description: 'D' },
      code: 'invalid_input',
      because: 'no such severity',
    },
  },
  list_bugs: {
    async succeed(client) {
      const { bugs } = await client.ok('list_bugs', {})
      assert.equal(count(bugs), 1)
      return 'the bug of before'
    },
    refuse: { args: { status: 'forgotten' }, code: 'invalid_input', because: 'no such status' },
  },
  delete_agent: {
    async succeed(client, { repository }) {
      repository.write('cover/leaving.py', 'Z = 1\n')
      await own(client, 'leaving', 'cover/leaving.py')
      await client.ok('delete_agent', { agent_id: 'leaving' })
      assert.ok(repository.exists('cover/leaving.py'))
      return 'the agent is gone, its file stays'
    },
    refuse: { args: { agent_id: 'nobody' }, code: 'not_found', because: 'no such agent' },
  },
}
