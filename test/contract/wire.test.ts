import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { AppError, ErrorCode } from '#shared/errors.ts'
import { createJobId, JobId, toWorkspaceId, WorkspaceId } from '#shared/ids.ts'
import {
  CallEnvelope,
  CallReply,
  ClaimJob,
  ClaimJobReply,
  decodeMessage,
  encodeMessage,
  FindOver,
  FindOverReply,
  FindOwners,
  FindOwnersReply,
  FinishJob,
  FinishJobReply,
  JobMessage,
  ListOwners,
  ListOwnersReply,
  MaybeRefused,
  ReleaseAgent,
  ReleaseAgentReply,
  TakeAgent,
  TakeAgentReply,
} from '#shared/protocol/envelope.ts'
import { FindModels, ModelAnswer, ModelAsk, ModelControl, ModelMember } from '#shared/protocol/model-group.ts'
import * as subjects from '#shared/protocol/subjects.ts'
import { JobEvent, WorkspaceEvent } from '#shared/schemas/event.ts'
import { catalogue } from '#shared/tools/catalogue.ts'
import { type ToolDeclaration, toInputJsonSchema, toOutputJsonSchema } from '#shared/tools/define-tool.ts'

const job = v.parse(JobId, 'job_01k9zq0000abcdefghjkmnpqrs')
const workspace = v.parse(WorkspaceId, 'sample')
const agent = { agent_id: 'a1', managed_file: 'src/a.py', system_prompt: 'You write models', model: null }
const error = {
  code: 'checks_failed',
  message: 'Cannot write "src/a.py": 1 check failed',
  hint: 'Mend line 3',
} as const

const info = {
  name: 'qwen2.5-7b',
  state: 'ready',
  detail: 'Ready on the CPU',
  download: null,
  context_tokens: 16_384,
  queued: 1,
} as const
const call = '0d9b6c3e-6f6f-4d6e-9d57-6b1f6f0e9a11'
const answer = { v: 1, id: call, member: 'c1c4a7a2-3b6e-4d0c-8f5e-2f6f3f1f5b77' } as const

/** One message of each kind as it travels. A published version is frozen: change these only with WIRE_VERSION. */
const messages: Record<string, [v.GenericSchema, unknown]> = {
  'call-envelope': [
    CallEnvelope,
    {
      v: 1,
      id: 'call-1',
      workspace,
      caller: { subject: 'owner' },
      tool: 'read_file',
      args: { path: 'src/a.py' },
      agent: null,
      deadline: 1_800_000_000_000,
    },
  ],
  'call-reply-ok': [CallReply, { v: 1, id: 'call-1', ok: true, result: { content: 'x' } }],
  'call-reply-refused': [CallReply, { v: 1, id: 'call-1', ok: false, error }],
  'job-message': [JobMessage, { v: 1, workspace, job_id: job }],
  'claim-job': [ClaimJob, { v: 1, job_id: job, worker_id: 'w1' }],
  'claim-job-reply-settled': [ClaimJobReply, { v: 1, claim: 'settled' }],
  'claim-job-reply-wait': [ClaimJobReply, { v: 1, claim: 'wait', ahead: 2 }],
  'claim-job-reply-run': [
    ClaimJobReply,
    {
      v: 1,
      claim: 'run',
      fence: 2,
      tool: 'chat_with_agent',
      args: { agent_id: 'a1', message: 'Add a field' },
      agent,
      caller: { subject: 'owner' },
      deadline: 1_800_000_000_000,
      cancel_requested: false,
    },
  ],
  'claim-job-reply-run-history': [
    ClaimJobReply,
    {
      v: 1,
      claim: 'run',
      fence: 1,
      tool: 'chat_with_agent',
      args: { agent_id: 'a1', message: 'Add a field' },
      agent,
      caller: { subject: 'owner' },
      deadline: 1_800_000_000_000,
      cancel_requested: false,
      history: [
        { task: 'Create a User model', answer: null },
        { task: 'Add docstrings', answer: 'Wrote src/a.py: +3 -0' },
      ],
    },
  ],
  'finish-job': [FinishJob, { v: 1, job_id: job, fence: 2, outcome: { state: 'failed', error } }],
  'finish-job-reply': [FinishJobReply, { v: 1, accepted: true }],
  'find-over': [FindOver, { v: 1, jobs: [{ job_id: job, fence: 2 }] }],
  'find-over-reply': [FindOverReply, { v: 1, over: [job] }],
  'find-owners': [FindOwners, { v: 1, file_keys: ['src/a.py'] }],
  'find-owners-reply': [FindOwnersReply, { v: 1, owners: { 'src/a.py': 'a1' } }],
  'list-owners': [ListOwners, { v: 1, after: 'a0' }],
  'list-owners-reply': [
    ListOwnersReply,
    { v: 1, agents: [{ agent_id: 'a1', managed_file: 'src/a.py', file_key: 'src/a.py' }], more: false },
  ],
  'take-agent': [
    TakeAgent,
    {
      v: 1,
      job_id: job,
      fence: 2,
      agent: {
        agent_id: 'auto-a',
        name: 'src/a.py',
        managed_file: 'src/a.py',
        file_key: 'src/a.py',
        system_prompt: 'You write models',
        description: null,
      },
      keep: false,
    },
  ],
  'take-agent-reply-ok': [TakeAgentReply, { v: 1, ok: true, agent, made: true }],
  'take-agent-reply-refused': [TakeAgentReply, { v: 1, ok: false, error }],
  'release-agent': [ReleaseAgent, { v: 1, job_id: job, fence: 2, agent_id: 'a1' }],
  'release-agent-reply': [ReleaseAgentReply, { v: 1, released: true }],
  'registry-refusal': [MaybeRefused, { v: 1, refused: error }],
  'job-event': [
    JobEvent,
    {
      v: 1,
      job_id: job,
      state: 'running',
      progress: { phase: 'generating', round: 1, tokens: 12, message: 'Writing: 12 tokens' },
    },
  ],
  'model-ask-generate': [
    ModelAsk,
    {
      v: 1,
      id: call,
      model: 'qwen2.5-7b',
      time_left_ms: 1_800_000,
      kind: 'generate',
      request: {
        turns: [
          { role: 'system', text: 'You write models' },
          { role: 'user', text: 'Add a field' },
        ],
        answerTokensMax: 512,
        temperature: 0,
        cacheKey: 'a1',
        grammar: { kind: 'json', schema: { type: 'array', items: { type: 'boolean' }, minItems: 1, maxItems: 2 } },
      },
    },
  ],
  'model-ask-count': [ModelAsk, { v: 1, id: call, model: 'qwen2.5-7b', time_left_ms: 5, kind: 'count', text: 'x' }],
  'model-answer-accepted': [ModelAnswer, { ...answer, kind: 'accepted' }],
  'model-answer-at-work': [
    ModelAnswer,
    {
      ...answer,
      kind: 'at_work',
      progress: { phase: 'generating', tokens: 12, promptTokens: 80, promptTokensTotal: 80 },
    },
  ],
  'model-answer-generated': [
    ModelAnswer,
    {
      ...answer,
      kind: 'generated',
      info,
      text: 'x = 1',
      stop_reason: 'end',
      usage: {
        prompt_tokens: 80,
        cached_prompt_tokens: 64,
        completion_tokens: 12,
        queue_ms: 3,
        time_to_first_token_ms: 40,
        tokens_per_second: 50,
        model: 'qwen2.5-7b',
      },
    },
  ],
  'model-answer-counted': [ModelAnswer, { ...answer, kind: 'counted', info, tokens: 4 }],
  'model-answer-refused': [ModelAnswer, { ...answer, kind: 'refused', info: null, error }],
  'model-control': [ModelControl, { v: 1, say: 'go_on' }],
  'find-models': [FindModels, { v: 1 }],
  'model-member': [ModelMember, { v: 1, member: answer.member, host: 'gpu-box', models: [info] }],
  'workspace-event': [WorkspaceEvent, { v: 1, type: 'file_changed', path: 'src/a.py' }],
  'workspace-event-file': [
    WorkspaceEvent,
    { v: 1, type: 'file_changed', path: 'src/a.py', change: 'written', agent_id: 'a1' },
  ],
  'workspace-event-agent': [WorkspaceEvent, { v: 1, type: 'agent_changed', agent_id: 'a1', change: 'created' }],
  'workspace-event-job': [WorkspaceEvent, { v: 1, type: 'job_changed', job_id: job, state: 'running', agent_id: 'a1' }],
  'workspace-event-progress': [
    WorkspaceEvent,
    { v: 1, type: 'job_progressed', job_id: job, phase: 'generating', round: 1, tokens: 12 },
  ],
  'workspace-event-commit': [
    WorkspaceEvent,
    { v: 1, type: 'committed', commit: '2fd4e1c67a2d28fced849ee1bb76e7391b93eb12' },
  ],
  'workspace-event-worker': [WorkspaceEvent, { v: 1, type: 'worker_changed', worker_id: 'w1', state: 'started' }],
  'workspace-event-model': [WorkspaceEvent, { v: 1, type: 'model_changed', model: 'qwen2.5-7b', state: 'ready' }],
}

describe('the wire', () => {
  for (const [name, [schema, message]] of Object.entries(messages)) {
    it(`carries ${name} as it did`, async () => {
      const bytes = encodeMessage(name, message, 1_000_000)
      expect(decodeMessage(name, schema, bytes)).toEqual(message)
      await expect(`${JSON.stringify(message, null, 2)}\n`).toMatchFileSnapshot(`../fixtures/wire/${name}.json`)
    })

    it(`refuses ${name} of another version`, () => {
      const bytes = encodeMessage(name, { ...(message as object), v: 2 }, 1_000_000)
      expect(() => decodeMessage(name, schema, bytes)).toThrow(AppError)
    })
  }

  it('uses the subjects that it did', async () => {
    const names = {
      call: subjects.callSubject(workspace, 'files'),
      jobs: subjects.jobsSubject(workspace),
      jobsConsumer: subjects.jobsConsumer(workspace),
      job: subjects.jobSubject(workspace, job),
      cancel: subjects.cancelSubject(workspace, job),
      registry: subjects.registrySubject(workspace, 'claim_job'),
      events: subjects.eventsSubject(workspace),
      modelAsk: subjects.modelAskSubject(workspace, 'hf:a/b.c:Q4_K_M'),
      modelQueue: subjects.modelQueue('hf:a/b.c:Q4_K_M'),
      modelMember: subjects.modelMemberSubject(workspace, answer.member),
      modelCall: subjects.modelCallSubject(workspace, call),
      modelFind: subjects.modelFindSubject(workspace),
    }
    await expect(`${JSON.stringify(names, null, 2)}\n`).toMatchFileSnapshot('../fixtures/wire/subjects.json')
  })

  it('leaves out no field of what a model is asked that it does not know', () => {
    const [schema, message] = messages['model-ask-generate'] ?? []
    const ask = message as { request: object }
    const bytes = encodeMessage('an ask', { ...ask, request: { ...ask.request, later: 1 } }, 1_000_000)
    if (schema === undefined) throw new Error('There is no such message')
    expect(() => decodeMessage('an ask', schema, bytes)).toThrow('request.later: unknown field')
  })

  it('refuses what is not JSON, and what is larger than the connection carries', () => {
    expect(() => decodeMessage('a call', CallEnvelope, new Uint8Array([0xff, 0xfe]))).toThrow('not JSON')
    expect(() => encodeMessage('a call', { text: 'x'.repeat(100) }, 50)).toThrow('limit 50')
  })

  it('keeps a refusal whole from one end to the other', () => {
    const refusal = new AppError('busy', 'Cannot take the job: 256 wait', {
      hint: 'Wait',
      details: { retry_after_ms: 5 },
    })
    expect(AppError.fromWire(refusal.toWire()).toWire()).toEqual(refusal.toWire())
  })
})

describe('ids', () => {
  it('sort by the time they were made', () => {
    const ids = [3, 1, 2].map((time) => createJobId(time * 1000))
    expect([...ids].sort()).toEqual([ids[1], ids[2], ids[0]])
  })

  it('are made of folder names of any kind', () => {
    expect(['My Repo', 'ünïcode', '--', 'x'.repeat(100)].map(toWorkspaceId)).toEqual([
      'my-repo',
      'n-code',
      'workspace',
      'x'.repeat(63),
    ])
  })
})

describe('the catalogue', () => {
  const tools = catalogue as readonly unknown[] as readonly ToolDeclaration[]
  const listed = (tool: ToolDeclaration) => ({
    name: tool.name,
    description: tool.description,
    inputSchema: toInputJsonSchema(tool),
  })
  const tokens = (list: readonly ToolDeclaration[]) => encode(JSON.stringify(list.map(listed))).length

  it('is what clients were promised', async () => {
    const promised = tools.map((tool) => ({
      ...listed(tool),
      annotations: tool.annotations,
      outputSchema: toOutputJsonSchema(tool),
    }))
    await expect(`${JSON.stringify(promised, null, 2)}\n`).toMatchFileSnapshot('../fixtures/wire/catalogue.json')
  })

  it('costs a caller at most 5,000 tokens, its core at most 2,000 in ten tools', () => {
    const core = tools.filter((tool) => tool.core)
    expect(core.length).toBeLessThanOrEqual(10)
    expect(tokens(core)).toBeLessThanOrEqual(2000)
    expect(tokens(tools)).toBeLessThanOrEqual(5000)
  })

  it('shows every argument schema as a closed object', () => {
    for (const tool of tools) {
      expect(toInputJsonSchema(tool), tool.name).toMatchObject({ type: 'object', additionalProperties: false })
    }
  })

  it('knows 24 error codes', () => {
    expect(ErrorCode.options).toHaveLength(24)
  })
})
