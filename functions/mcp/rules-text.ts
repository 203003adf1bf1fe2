import type * as v from 'valibot'
import type { DescribeRules } from '#shared/protocol/worker-calls.ts'

/** The rules of a workspace as a model or a person reads them. */
export function rulesText({ rules, fault, source }: v.InferOutput<typeof DescribeRules.output>): string {
  return [
    '# Rules of this repository',
    '',
    'Checks of every file that is written (error: it is refused; warning: it is told; off: it does not run):',
    ...rules.map((rule) => `- ${rule}`),
    ...(fault === null ? [] : ['', `millwright.json is wrong, so no file can be written: ${fault}`]),
    '',
    'Ownership: a file that an agent manages changes only through that agent (`not_owner` otherwise). Files without an agent',
    'can be written by anyone.',
    '',
    'Closed paths: nothing outside the repository, no git folder, no keys, credentials or .env files can be read or written;',
    'configuration of git, editors, assistants, CI, hooks and package managers can be read but not written (`protected_path`).',
    ...(source === null ? [] : ['', 'millwright.json:', '', source.trimEnd().replace(/^/gm, '    ')]),
    '',
  ].join('\n')
}
