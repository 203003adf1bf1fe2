import { NATS_PAYLOAD_BYTES_MAX } from '#shared/protocol/limits.ts'
import {
  callSubject,
  cancelSubject,
  EDGE_INBOX,
  enrollInbox,
  enrollSubject,
  eventsSubject,
  JOBS_STREAM,
  jobSubject,
  jobsConsumer,
  jobsSubject,
  MODEL_ANSWER_INBOX,
  machineInboxes,
  modelSubjects,
  registrySubject,
  WORKER_INBOX,
} from '#shared/protocol/subjects.ts'
import type { KnownMachine, Machines } from './machines/machine-store.ts'

/**
 * Who connects. `admin` makes the streams and is never handed to the functions or the worker. `model` is for machines that
 * only serve models: it reaches neither jobs nor calls nor the registry.
 */
export const natsRoles = ['admin', 'edge', 'worker', 'model'] as const
export type NatsRole = (typeof natsRoles)[number]

export interface NatsPermissions {
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}

export const ADMIN_INBOX = '_INBOX_admin'

/** NATS's own subjects for finding and counting services. */
const SERVICE_SUBJECTS = '$SRV.>'

/** Where model workers answer enrolled machines. */
const ALL_MODEL_INBOXES = `${machineInboxes('*').model}.>`

/** The whole of what each role may do; everything else is refused by the server. */
export const natsPermissions: Record<NatsRole, NatsPermissions> = {
  admin: {
    publish: ['$JS.API.>', SERVICE_SUBJECTS, `${enrollInbox('*')}.>`],
    subscribe: [`${ADMIN_INBOX}.>`, enrollSubject('*')],
  },
  edge: {
    publish: [
      callSubject('*', '>'),
      jobsSubject('*'),
      cancelSubject('*', '*'),
      eventsSubject('*'),
      // Answers to the worker's questions to the registry.
      `${WORKER_INBOX}.>`,
      `${machineInboxes('*').own}.>`,
    ],
    subscribe: [`${EDGE_INBOX}.>`, jobSubject('*', '*'), eventsSubject('*'), registrySubject('*', '>')],
  },
  worker: {
    publish: [
      `${EDGE_INBOX}.>`,
      registrySubject('*', '>'),
      jobSubject('*', '*'),
      eventsSubject('*'),
      // Whether another worker serves the same repository: one that does makes this anything but "no responders".
      '$SRV.PING.*',
      // Taking jobs: which consumer, the next message, and what became of it.
      `$JS.API.CONSUMER.INFO.${JOBS_STREAM}.*`,
      `$JS.API.CONSUMER.MSG.NEXT.${JOBS_STREAM}.*`,
      `$JS.ACK.${JOBS_STREAM}.>`,
      // Answers to whoever counts the services.
      `${ADMIN_INBOX}.>`,
      // Asking model workers, and being one.
      modelSubjects('*'),
      `${MODEL_ANSWER_INBOX}.>`,
      ALL_MODEL_INBOXES,
    ],
    subscribe: [
      callSubject('*', '>'),
      cancelSubject('*', '*'),
      `${WORKER_INBOX}.>`,
      SERVICE_SUBJECTS,
      modelSubjects('*'),
      `${MODEL_ANSWER_INBOX}.>`,
    ],
  },
  model: { publish: [`${MODEL_ANSWER_INBOX}.>`, ALL_MODEL_INBOXES], subscribe: [modelSubjects('*')] },
}

/** What an enrolled machine may do: the same as its role, in its workspace, with inboxes of its own. */
export function machinePermissions({
  name,
  role,
  workspace,
}: Pick<KnownMachine, 'name' | 'role' | 'workspace'>): NatsPermissions {
  const { own, model } = machineInboxes(name)
  if (role === 'model' || workspace === '*') {
    return { publish: [`${MODEL_ANSWER_INBOX}.>`, ALL_MODEL_INBOXES], subscribe: [modelSubjects(workspace)] }
  }
  const consumer = jobsConsumer(workspace)
  return {
    publish: [
      `${EDGE_INBOX}.>`,
      registrySubject(workspace, '>'),
      jobSubject(workspace, '*'),
      eventsSubject(workspace),
      `$SRV.PING.millwright-repository-${workspace}`,
      `$JS.API.CONSUMER.INFO.${JOBS_STREAM}.${consumer}`,
      `$JS.API.CONSUMER.MSG.NEXT.${JOBS_STREAM}.${consumer}`,
      `$JS.ACK.${JOBS_STREAM}.${consumer}.>`,
      `${ADMIN_INBOX}.>`,
      modelSubjects(workspace),
      `${MODEL_ANSWER_INBOX}.>`,
      ALL_MODEL_INBOXES,
    ],
    subscribe: [
      callSubject(workspace, '>'),
      cancelSubject(workspace, '*'),
      `${own}.>`,
      SERVICE_SUBJECTS,
      modelSubjects(workspace),
      `${model}.>`,
    ],
  }
}

/** Who brings a machine's key may say so, and hear the answer. */
export const enrollmentPermissions = (name: string): NatsPermissions => ({
  publish: [enrollSubject(name)],
  subscribe: [`${enrollInbox(name)}.>`],
})

export interface NatsConfig {
  readonly host: string
  /** -1 lets the server choose a free one and write it into `portsFolder`. */
  readonly port: number
  /** Of a second listener, for clients that have only WebSockets; as `port`. None where left out. */
  readonly webSocketPort?: number
  /** Of both listeners. Left out, they are for this machine alone. */
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string }
  readonly storeFolder: string
  readonly portsFolder: string
  readonly passwords: Record<NatsRole, string>
  /** Those that have a key in place of a password. */
  readonly machines?: Machines
}

/** What may lie in the queue on disk: some thousand times what a full queue of every workspace takes. */
const STORE_BYTES_MAX = 1024 * 1024 * 1024
const MEMORY_STORE_BYTES_MAX = 16 * 1024 * 1024

/** The text of a nats-server configuration. No monitoring port: it would tell anyone on the machine who is connected. */
export function formatNatsConfig(config: NatsConfig): string {
  const { machines = [], enrollments = [] } = config.machines ?? {}
  const all: readonly (readonly [string, NatsPermissions])[] = [
    ...natsRoles.map(
      (role) => [`user: ${role}, password: ${quote(config.passwords[role])}`, natsPermissions[role]] as const,
    ),
    ...machines.map((machine) => [`nkey: ${machine.user}`, machinePermissions(machine)] as const),
    ...enrollments.map(({ name, user }) => [`nkey: ${user}`, enrollmentPermissions(name)] as const),
  ]
  const users = all.map(([who, { publish, subscribe }]) => {
    return [
      `    { ${who}, permissions: {`,
      `      publish: { allow: [${publish.map(quote).join(', ')}] }`,
      `      subscribe: { allow: [${subscribe.map(quote).join(', ')}] }`,
      '    } }',
    ].join('\n')
  })
  const tls =
    config.tls === undefined
      ? ''
      : `tls { cert_file: ${quote(config.tls.certificateFile)}, key_file: ${quote(config.tls.keyFile)}, min_version: "1.2" }`
  const webSocket =
    config.webSocketPort === undefined
      ? ''
      : `websocket {
  host: ${quote(config.host)}
  port: ${config.webSocketPort}
  ${tls === '' ? 'no_tls: true' : tls}
}
`
  // sync_interval: the default writes acknowledged messages to disk every two minutes. A job message is small and rare
  // (a person or an assistant asked for it), so a sync for each costs nothing that anyone would notice; and a job that
  // was accepted is then still there after a power cut, without waiting for the registry's sweep.
  return `server_name: millwright
host: ${quote(config.host)}
port: ${config.port}
ports_file_dir: ${quote(config.portsFolder)}
max_payload: ${NATS_PAYLOAD_BYTES_MAX}
${tls}
${webSocket}jetstream {
  store_dir: ${quote(config.storeFolder)}
  max_memory_store: ${MEMORY_STORE_BYTES_MAX}
  max_file_store: ${STORE_BYTES_MAX}
  sync_interval: always
}
authorization {
  users: [
${users.join('\n')}
  ]
}
`
}

/** The escapes of JSON are those of the configuration format. */
function quote(text: string): string {
  return JSON.stringify(text)
}
