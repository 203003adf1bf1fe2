import { useState } from 'react'
import { Code } from '../../components/code.tsx'
import { Panel } from '../../components/panel.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { clientLines } from './client-lines.ts'

/** How assistants and editors come to use this server. */
export function ConnectPanel() {
  const lines = clientLines(new URL('/mcp', window.location.href).href)
  const [chosen, setChosen] = useState(lines[0]?.name ?? '')
  const shown = lines.find(({ name }) => name === chosen)
  return (
    <Panel title="Connect">
      <Tabs
        label="Clients"
        tabs={lines.map(({ name }) => ({ name, label: name }))}
        chosen={chosen}
        onChoose={setChosen}
      >
        {shown !== undefined && (
          <>
            <p className="soft connect-note">{shown.place}:</p>
            <Code label={`Lines for ${shown.name}`} text={shown.text} />
          </>
        )}
        <p className="soft connect-note">
          <code>TOKEN</code> is the owner's token, which <code>npm start</code> prints, or one that{' '}
          <code>npm run keys -- token</code> has made for a program. <code>?tools=core</code> behind the address shows
          ten tools instead of all.
        </p>
      </Tabs>
    </Panel>
  )
}
