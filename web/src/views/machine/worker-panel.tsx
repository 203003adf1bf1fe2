import { Facts } from '../../components/facts.tsx'
import { Panel } from '../../components/panel.tsx'
import { toBytes, toCount, toMoment } from '../../components/words.ts'
import { ModelRow } from './model-row.tsx'
import type { ServerInfo } from './samples.ts'

type Worker = ServerInfo['workers'][number]

/** One worker: the repository that it serves, its models, what it takes of its machine. */
export function WorkerPanel({ worker }: { readonly worker: Worker }) {
  const { repository, models, gpu, memory, notices, jobs_running, started_at, version, worker_id } = worker
  return (
    <Panel title={`Worker for ${repository}`}>
      <div className="stack">
        <ul className="plain-list models" aria-label="Models">
          {models.map((model) => (
            <ModelRow key={model.name} model={model} />
          ))}
          {models.length === 0 && <li className="soft">No model is configured</li>}
        </ul>
        <div className="memory-bars">
          {gpu !== null && <MemoryBar name={gpu.name} used={gpu.memory_used_bytes} all={gpu.memory_bytes} />}
          <MemoryBar
            name="Memory of worker and model"
            used={memory.daemon_bytes + (memory.model_bytes ?? 0)}
            all={memory.machine_bytes}
          />
        </div>
        <Facts
          facts={[
            { name: 'GPU', value: gpu === null ? 'none: models run on the processor' : gpu.name },
            { name: 'Worker', value: toBytes(memory.daemon_bytes) },
            { name: 'Model', value: memory.model_bytes === null ? 'not loaded here' : toBytes(memory.model_bytes) },
            { name: 'Jobs at work', value: toCount(jobs_running) },
            { name: 'Since', value: toMoment(started_at) },
            { name: 'Version', value: version },
            { name: 'Id', value: <code>{worker_id}</code> },
          ]}
        />
        {notices.length > 0 && (
          <section aria-label="Notes of the worker">
            <h3 className="machine-heading">To know</h3>
            <ul className="plain-list notes">
              {notices.map((notice) => (
                <li key={notice}>{notice}</li>
              ))}
            </ul>
          </section>
        )}
      </div>
    </Panel>
  )
}

interface MemoryBarProps {
  readonly name: string
  readonly used: number
  readonly all: number
}

const MemoryBar = ({ name, used, all }: MemoryBarProps) => (
  <div className="memory-bar">
    <span>{name}</span>
    <span className="soft">
      {toBytes(used)} of {toBytes(all)}
    </span>
    <meter aria-label={name} value={used} max={all} />
  </div>
)
