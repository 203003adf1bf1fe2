/** A unified diff, line by line. Added and removed lines begin with their sign, so that colour is not all there is. */
export function JobDiff({ diff, label }: { readonly diff: string; readonly label: string }) {
  const lines = diff.replace(/\n$/, '').split('\n')
  return (
    <figure className="job-diff" aria-label={label}>
      <pre>
        {lines
          .map((line, index) => ({ line, number: index + 1 }))
          .map(({ line, number }) => (
            <span key={number} data-kind={kindOf(line)}>
              {line}
              {'\n'}
            </span>
          ))}
      </pre>
    </figure>
  )
}

function kindOf(line: string): string {
  if (/^(?:diff |index |--- |\+\+\+ |new file|deleted file)/.test(line)) return 'head'
  if (line.startsWith('@@')) return 'hunk'
  if (line.startsWith('+')) return 'added'
  return line.startsWith('-') ? 'removed' : 'same'
}
