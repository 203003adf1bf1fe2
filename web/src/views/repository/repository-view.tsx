import { useEffect, useState } from 'react'
import { listFiles } from '#shared/tools/files.ts'
import { gitDiff, gitLog, gitStatus } from '#shared/tools/git.ts'
import { Button } from '../../components/button.tsx'
import { Panel } from '../../components/panel.tsx'
import { EmptyState, ErrorState } from '../../components/states.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { type Route, toHash } from '../../state/route.ts'
import { useServices } from '../../state/services.ts'
import { useSignedIn, useTool } from '../../state/use-tool.ts'
import { toChangeKind } from './change-words.ts'
import { ChangesView } from './changes-view.tsx'
import { FileTree } from './file-tree.tsx'
import { FileView } from './file-view.tsx'
import { LogView } from './log-view.tsx'
import { foldersOf, toTreeRows } from './tree-rows.ts'
import { useFolders } from './use-folders.ts'
import './repository.css'

type Part = 'file' | 'changes' | 'log'

/** The repository: its files with their owners, what has changed, and its history. `#/repository/PATH` shows that file. */
export default function RepositoryView({ rest }: Pick<Route, 'rest'>) {
  const { queries } = useServices()
  const isSignedIn = useSignedIn()
  const path = rest.join('/')
  const [part, setPart] = useState<Part>(path === '' ? 'changes' : 'file')
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set(foldersOf(path)))
  const { folders, error, retry } = useFolders(open)
  const status = useTool(gitStatus, {})
  const changes = new Map((status.data?.files ?? []).map((file) => [file.path, toChangeKind(file)]))
  // A new address shows its file, wherever one is.
  useEffect(() => {
    if (path === '') return
    setPart('file')
    setOpen((before) => new Set([...before, ...foldersOf(path)]))
  }, [path])

  const toggle = (folder: string, isOpen: boolean) =>
    setOpen((before) => new Set(isOpen ? [...before, folder] : [...before].filter((other) => other !== folder)))
  const choose = (chosen: string) => {
    location.hash = toHash('repository', ...chosen.split('/'))
    setPart('file')
  }
  const refresh = () => {
    const names: readonly string[] = [listFiles.name, gitStatus.name, gitDiff.name, gitLog.name, 'read_file']
    void queries.invalidateQueries({ predicate: ({ queryKey }) => names.includes(String(queryKey[0])) })
  }

  return (
    <div className="repository">
      <Panel title="Files" actions={<Button onClick={refresh}>Refresh</Button>}>
        {!isSignedIn && <EmptyState title="Authenticate to see the files" />}
        {isSignedIn && error !== null && <ErrorState error={error} onRetry={retry} />}
        {isSignedIn && error === null && (
          <FileTree
            rows={toTreeRows(folders, open)}
            chosen={path}
            changes={changes}
            onToggle={toggle}
            onChoose={choose}
          />
        )}
      </Panel>
      <Panel title={part === 'file' && path !== '' ? path : 'Repository'}>
        <Tabs
          label="What to see of the repository"
          tabs={[
            { name: 'changes', label: changes.size === 0 ? 'Changes' : `Changes (${changes.size})` },
            { name: 'log', label: 'Log' },
            { name: 'file', label: 'File' },
          ]}
          chosen={part}
          onChoose={setPart}
        >
          {part === 'file' && path === '' && <EmptyState title="Choose a file in the tree" />}
          {part === 'file' && path !== '' && <FileView key={path} path={path} />}
          {part === 'changes' && <ChangesView onOpen={choose} />}
          {part === 'log' && <LogView path={path} />}
        </Tabs>
      </Panel>
    </div>
  )
}
