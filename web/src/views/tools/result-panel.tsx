import { useState } from 'react'
import { Button } from '../../components/button.tsx'
import { Code } from '../../components/code.tsx'
import { Panel } from '../../components/panel.tsx'
import { Picture } from '../../components/picture.tsx'
import { EmptyState } from '../../components/states.tsx'
import { StatusLight } from '../../components/status-light.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { UnifiedDiff } from '../../components/unified-diff.tsx'
import { findDiff, findRunningJob } from './answer-parts.ts'
import { CallClock } from './call-clock.tsx'
import { stateOfCall } from './call-state.ts'
import type { CallRecord } from './tool-desk.ts'

interface ResultPanelProps {
  readonly call: CallRecord | undefined
  readonly onStop: (id: number) => void
  /** Puts the arguments of the call into the form. */
  readonly onReuse: (call: CallRecord) => void
  /** Goes to the job that the call has left running. */
  readonly onFollow: (jobId: string) => void
}

/** How a call goes, or what came of it. */
export function ResultPanel({ call, onStop, onReuse, onFollow }: ResultPanelProps) {
  if (call === undefined) {
    return (
      <Panel title="Result">
        <EmptyState title="Nothing executed yet" />
      </Panel>
    )
  }
  const { light, words } = stateOfCall(call)
  return (
    <Panel
      title="Result"
      actions={
        call.endedMs === null ? (
          <Button onClick={() => onStop(call.id)}>Stop</Button>
        ) : (
          <Button look="quiet" onClick={() => onReuse(call)}>
            Use these arguments again
          </Button>
        )
      }
    >
      <div className="stack">
        <p className="result-head" role="status" data-result={words}>
          <StatusLight light={light}>{words}</StatusLight>
          <code>{call.tool}</code>
          <CallClock startedMs={call.startedMs} endedMs={call.endedMs} />
        </p>
        {call.endedMs === null && call.progress !== null && <CallProgress progress={call.progress} />}
        {call.error !== null && <Refusal error={call.error} />}
        {call.answer !== null && <Answer key={call.id} answer={call.answer} onFollow={onFollow} />}
      </div>
    </Panel>
  )
}

function CallProgress({
  progress: { progress, total, message },
}: {
  readonly progress: NonNullable<CallRecord['progress']>
}) {
  return (
    <div className="result-progress" role="status">
      <progress aria-label="Progress" {...(total === undefined ? {} : { value: progress, max: total })} />
      {message !== undefined && <p>{message}</p>}
    </div>
  )
}

function Refusal({ error: { code, message, hint, details } }: { readonly error: NonNullable<CallRecord['error']> }) {
  const diff = findDiff(details)
  return (
    <div className="stack">
      <div className="refusal" role="alert">
        <p>
          <strong>{message}</strong> <code>{code}</code>
        </p>
        {hint !== undefined && <p>{hint}</p>}
      </div>
      {diff !== undefined && <UnifiedDiff diff={diff} label="The change that was refused" />}
      {details !== undefined && <Code label="Details" text={JSON.stringify(details, null, 2)} />}
    </div>
  )
}

type Part = 'diff' | 'picture' | 'text' | 'json'
const partLabels: Readonly<Record<Part, string>> = { diff: 'Diff', picture: 'Picture', text: 'Text', json: 'JSON' }

interface AnswerProps {
  readonly answer: NonNullable<CallRecord['answer']>
  readonly onFollow: (jobId: string) => void
}

function Answer({ answer: { text, fields, pictures }, onFollow }: AnswerProps) {
  const diff = findDiff(fields)
  const jobId = findRunningJob(fields)
  const parts: readonly Part[] = [
    ...(pictures.length > 0 ? (['picture'] as const) : []),
    ...(diff === undefined ? [] : (['diff'] as const)),
    'text',
    'json',
  ]
  const [chosen, setChosen] = useState<Part>(parts[0] ?? 'text')
  return (
    <>
      {jobId !== undefined && (
        <p className="result-job">
          The work goes on as <code>{jobId}</code>. <Button onClick={() => onFollow(jobId)}>Wait for it</Button>
        </p>
      )}
      <Tabs
        label="The result as"
        tabs={parts.map((name) => ({ name, label: partLabels[name] }))}
        chosen={chosen}
        onChoose={setChosen}
      >
        {chosen === 'text' && <Code label="Result" text={text} />}
        {chosen === 'json' && (
          <Code label="Result as JSON" text={JSON.stringify({ success: true, ...fields }, null, 2)} />
        )}
        {chosen === 'diff' && diff !== undefined && <UnifiedDiff diff={diff} label="Diff" />}
        {chosen === 'picture' &&
          pictures.map((picture, index) => (
            <Picture key={`${picture.mimeType} ${picture.data.length}`} {...picture} label={`Picture ${index + 1}`} />
          ))}
      </Tabs>
    </>
  )
}
