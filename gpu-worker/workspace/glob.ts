import { RE2JS } from 're2js'
import { AppError } from '#shared/errors.ts'

/**
 * A matcher for repository paths: `*` and `?` within a segment, `**` across segments, `[a-z]`, `{a,b}`. A glob without
 * a slash matches the file's name in any folder, as in .gitignore. Runs on RE2, since the glob comes from outside and
 * the usual libraries make backtracking expressions of it. Throws `invalid_input`.
 */
export function createGlob(glob: string): (path: string) => boolean {
  const anywhere = !glob.includes('/')
  try {
    const pattern = RE2JS.compile(
      `${anywhere ? '(?:.*/)?' : ''}${toExpression(glob.replace(/^\.?\//, ''))}`,
      RE2JS.DOTALL,
    )
    return (path) => pattern.matches(path)
  } catch (cause) {
    throw new AppError('invalid_input', 'Cannot read glob: brackets or braces do not match', {
      cause,
      hint: 'Use *, **, ?, [a-z] and {a,b}',
    })
  }
}

function toExpression(glob: string): string {
  let expression = ''
  let braces = 0
  for (let at = 0; at < glob.length; at++) {
    const character = glob[at] ?? ''
    if (glob.startsWith('**/', at)) {
      expression += '(?:.*/)?'
      at += 2
    } else if (glob.startsWith('**', at)) {
      expression += '.*'
      at += 1
    } else if (character === '*') expression += '[^/]*'
    else if (character === '?') expression += '[^/]'
    else if (character === '[') {
      const end = glob.indexOf(']', at + 2)
      if (end === -1) throw new Error('unclosed bracket')
      const set = glob
        .slice(at + 1, end)
        .replace(/^!/, '^')
        .replaceAll('\\', '\\\\')
        .replaceAll('[', '\\[')
      expression += `[${set}]`
      at = end
    } else if (character === '{') {
      expression += '(?:'
      braces++
    } else if (character === '}' && braces > 0) {
      expression += ')'
      braces--
    } else if (character === ',' && braces > 0) expression += '|'
    else expression += character.replace(/[\\^$.|?*+()[\]{}]/, '\\$&')
  }
  if (braces > 0) throw new Error('unclosed brace')
  return expression
}
