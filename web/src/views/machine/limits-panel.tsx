import { Facts } from '../../components/facts.tsx'
import { Panel } from '../../components/panel.tsx'
import { toBytes, toCount, toDuration, toTitle } from '../../components/words.ts'

/** What the server refuses to go beyond. */
export const LimitsPanel = ({ limits }: { readonly limits: Readonly<Record<string, number>> }) => (
  <Panel title="Limits">
    <Facts
      facts={Object.entries(limits).map(([name, value]) => ({
        name: toTitle(name.replace(/_(?:bytes|ms|seconds)(?=_|$)/, '').replace(/_(?:max|default)$/, '')),
        value: inWords(name, value),
      }))}
    />
  </Panel>
)

function inWords(name: string, value: number): string {
  if (name.includes('_bytes')) return toBytes(value)
  if (name.includes('_ms')) return toDuration(value)
  if (name.includes('_seconds')) return toDuration(value * 1000)
  return toCount(value)
}
