import { type Light, StatusLight } from '../../components/status-light.tsx'
import { toBytes, toCount } from '../../components/words.ts'
import type { ServerInfo } from './samples.ts'

type Model = ServerInfo['workers'][number]['models'][number]

const lights: Readonly<Record<Model['state'], Light>> = {
  missing: 'bad',
  downloading: 'waiting',
  loading: 'waiting',
  ready: 'good',
  failed: 'bad',
}

/** A model, whether it can be used now, and what it lacks where it cannot. */
export function ModelRow({ model }: { readonly model: Model }) {
  const { name, state, detail, download, context_tokens, queued, served_by } = model
  return (
    <li className="model">
      <strong>{name}</strong>
      <StatusLight light={lights[state]}>{state}</StatusLight>
      <p className="model-detail soft">
        {[
          detail,
          // The detail of a single one names its context.
          ...(context_tokens === null || served_by === undefined
            ? []
            : [`${toCount(context_tokens)} tokens of context`]),
          ...(queued === 0 ? [] : [`${queued} calls`]),
        ].join(' · ')}
      </p>
      {download !== null && (
        <div className="model-download">
          <progress
            aria-label={`Download of ${name}`}
            {...(download.bytes_total === null ? {} : { value: download.bytes, max: download.bytes_total })}
          />
          <span className="soft">
            {toBytes(download.bytes)}
            {download.bytes_total === null ? '' : ` of ${toBytes(download.bytes_total)}`}
          </span>
        </div>
      )}
      {served_by !== undefined && (
        <ul className="plain-list members" aria-label={`Machines that serve ${name}`}>
          {served_by.map((member) => (
            <li key={member.member}>
              <StatusLight light={lights[member.state]}>{`${member.host}: ${member.state}`}</StatusLight>
              <span className="soft">{toCount(member.queued)} calls</span>
            </li>
          ))}
        </ul>
      )}
    </li>
  )
}
