import { useState } from 'react'
import { gitStatus } from '#shared/tools/git.ts'
import { ErrorState, LoadingState } from '../../components/states.tsx'
import { useTool } from '../../state/use-tool.ts'
import { toChangeKind } from './change-words.ts'
import { CommitBox } from './commit-box.tsx'
import { DiffPages } from './diff-pages.tsx'

interface ChangesViewProps {
  readonly onOpen: (path: string) => void
}

/** What differs from the last commit, file by file, and the box that commits the chosen ones. */
export function ChangesView({ onOpen }: ChangesViewProps) {
  const status = useTool(gitStatus, {})
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set())
  const [shown, setShown] = useState<string>()
  if (status.data === undefined) {
    return status.error === null ? (
      <LoadingState>Asking git…</LoadingState>
    ) : (
      <ErrorState error={status.error} onRetry={() => void status.refetch()} />
    )
  }
  const { branch, head, ahead, behind, files, truncated } = status.data
  const chosen = files.map(({ path }) => path).filter((path) => !left.has(path))
  const take = (paths: readonly string[], isTaken: boolean) =>
    setLeft(new Set(isTaken ? [...left].filter((path) => !paths.includes(path)) : [...left, ...paths]))
  return (
    <div className="stack">
      <p className="repository-note">
        {branch === null ? (
          'On a detached HEAD: switch to a branch to commit'
        ) : (
          <>
            On <code>{branch}</code>
          </>
        )}
        {head === null && ', which has no commits yet: the first one begins its history'}
        {ahead > 0 && `, ${ahead} ahead`}
        {behind > 0 && `, ${behind} behind`}
      </p>
      {files.length === 0 && <p className="soft repository-note">Nothing differs from the last commit.</p>}
      {files.length > 0 && (
        <fieldset className="changes">
          <legend>
            {files.length}
            {truncated ? ' and more' : ''} {files.length === 1 ? 'changed file' : 'changed files'}
          </legend>
          <label className="changes-all">
            <input
              type="checkbox"
              className="tick"
              checked={chosen.length === files.length}
              onChange={({ target }) =>
                take(
                  files.map(({ path }) => path),
                  target.checked,
                )
              }
            />{' '}
            All
          </label>
          <ul className="plain-list changes-list">
            {files.map((file) => {
              const { letter, word, isStaged } = toChangeKind(file)
              return (
                <li key={file.path} data-shown={file.path === shown}>
                  <input
                    type="checkbox"
                    className="tick"
                    aria-label={`Commit ${file.path}`}
                    checked={!left.has(file.path)}
                    onChange={({ target }) => take([file.path], target.checked)}
                  />
                  <button
                    type="button"
                    aria-expanded={file.path === shown}
                    onClick={() => setShown(file.path === shown ? undefined : file.path)}
                  >
                    <span className="tree-change" data-change={letter} aria-hidden="true">
                      {letter}
                    </span>
                    <code>{file.path}</code>
                    <span className="soft">
                      {word}
                      {isStaged ? ', staged' : ''}
                    </span>
                  </button>
                </li>
              )
            })}
          </ul>
        </fieldset>
      )}
      {shown !== undefined && files.some(({ path }) => path === shown) && (
        <div className="stack">
          <DiffPages
            key={shown}
            asked={{ path: shown }}
            label={`Changes of ${shown}`}
            nothing="Git shows no change of it: it is binary, too long, or not to be read"
          />
          <button type="button" className="link-button" onClick={() => onOpen(shown)}>
            Open {shown}
          </button>
        </div>
      )}
      {files.length > 0 && <CommitBox paths={chosen} isWhole={chosen.length === files.length && !truncated} />}
    </div>
  )
}
