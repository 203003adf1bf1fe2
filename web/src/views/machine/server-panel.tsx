import { Facts } from '../../components/facts.tsx'
import { Panel } from '../../components/panel.tsx'
import { StatusLight } from '../../components/status-light.tsx'
import { toBytes, toCount } from '../../components/words.ts'
import { toHash } from '../../state/route.ts'
import type { ServerInfo } from './samples.ts'

export const ServerPanel = ({ info }: { readonly info: ServerInfo }) => (
  <Panel title="Server">
    <Facts
      facts={[
        {
          name: 'Workers',
          value:
            info.workers.length === 0 ? (
              <StatusLight light="bad">none</StatusLight>
            ) : (
              <StatusLight light="good">{`${info.workers.length} connected`}</StatusLight>
            ),
        },
        {
          name: 'Jobs',
          value: (
            <a href={toHash('jobs')}>
              {toCount(info.queue.running)} at work, {toCount(info.queue.queued)} waiting
            </a>
          ),
        },
        { name: 'Agents', value: <a href={toHash('agents')}>{toCount(info.agents)}</a> },
        { name: 'Workspace', value: info.workspace },
        { name: 'Version', value: info.version },
        { name: 'Memory of the server', value: toBytes(info.memory.edge_bytes) },
      ]}
    />
  </Panel>
)
