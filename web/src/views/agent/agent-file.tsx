import { lazy, Suspense } from 'react'
import { AppError } from '#shared/errors.ts'
import { getAgentFile } from '#shared/tools/agent-files.ts'
import { EmptyState, ErrorState, LoadingState } from '../../components/states.tsx'
import { useTool } from '../../state/use-tool.ts'

const CodeView = lazy(() => import('../../components/code-view/code-view.tsx'))

/** The agent's file as it stands in the repository. */
export function AgentFile({ agentId, path }: { readonly agentId: string; readonly path: string }) {
  const file = useTool(getAgentFile, { agent_id: agentId })
  const isMissing = file.error instanceof AppError && file.error.code === 'not_found'
  if (isMissing) {
    return (
      <EmptyState title="The file does not exist yet">
        <p>
          The agent makes <code>{path}</code> with its first task.
        </p>
      </EmptyState>
    )
  }
  if (file.data === undefined) {
    return file.error === null ? (
      <LoadingState>Loading the file…</LoadingState>
    ) : (
      <ErrorState error={file.error} onRetry={() => void file.refetch()} />
    )
  }
  const { content, line_count, sha256, next_offset } = file.data
  return (
    <>
      <p className="agent-file-facts">
        <code>{path}</code>
        <span>
          {line_count.toLocaleString('en')} {line_count === 1 ? 'line' : 'lines'}
        </span>
        <span title={sha256}>
          sha256 <code>{sha256.slice(0, 12)}</code>
        </span>
      </p>
      <Suspense fallback={<LoadingState>Loading the file…</LoadingState>}>
        <CodeView path={path} text={content.replace(/\r?\n$/, '')} />
      </Suspense>
      {next_offset !== null && <p className="soft">Only the first {next_offset} lines are shown: the file is long.</p>}
    </>
  )
}
