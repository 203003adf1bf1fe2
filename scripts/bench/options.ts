import { parseArgs } from 'node:util'

export interface BenchOptions<Name extends string> {
  readonly help: boolean
  /** Which groups of figures, in the order in which they are measured. */
  readonly only: readonly Name[]
  /** Fewer rounds: shows that it works, and the order of magnitude. */
  readonly quick: boolean
}

export function benchUsage(names: readonly string[]): string {
  return `Usage: npm run bench -- [--quick] [--only NAME]...

  --only NAME  One group of figures; may be repeated. Without it, all: ${names.join(', ')}
  --quick      A few rounds of each: for a first look, not for quoting
  --help       This text

Prints a table and writes reports/bench.json. docs/bench.md says what each figure means.`
}

/** Throws an Error for a person where an option or a name is unknown. */
export function parseBenchOptions<Name extends string>(
  args: readonly string[],
  names: readonly Name[],
): BenchOptions<Name> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      quick: { type: 'boolean', default: false },
    },
    strict: true,
  })
  const unknown = values.only.find((name) => !names.some((known) => known === name))
  if (unknown !== undefined) throw new Error(`Unknown figures "${unknown}": there are ${names.join(', ')}`)
  const only = values.only.length === 0 ? names : names.filter((name) => values.only.includes(name))
  return { help: values.help, only, quick: values.quick }
}
