import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import * as v from 'valibot'

export const acceptanceUsage = `Usage: npm run acceptance -- [--model MODEL] [--agents N] [--threads N] [--out DIR] [--no-browser]

  --model MODEL   as for npm start; the embedded demo model where left out
  --agents N      how many agents are registered at once; 100, as many as the criteria ask for, where left out
  --threads N     processor threads of the model; 1 where left out
  --out DIR       where the reports are written; reports/ of Millwright's folder where left out
  --no-browser    leaves out the procedures of the page: they are skipped, and the report says so
  --help          this text`

export interface AcceptanceOptions {
  readonly help: boolean
  readonly model: string
  readonly agents: number
  readonly threads: number
  readonly out: string
  readonly browser: boolean
}

const Whole = v.pipe(v.string(), v.regex(/^\d{1,5}$/), v.transform(Number), v.minValue(1))

/** Reads the command line. Throws an Error that names what is wrong. Paths begin in `folder`, the default of `out` is `outDefault`. */
export function parseAcceptanceOptions(argv: readonly string[], folder: string, outDefault: string): AcceptanceOptions {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...argv],
    strict: true,
    options: {
      model: text,
      agents: text,
      threads: text,
      out: text,
      'no-browser': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.model === '') throw new Error('--model needs a model')
  return {
    help: values.help,
    model: values.model ?? 'demo',
    agents: whole('agents', values.agents ?? '100'),
    threads: whole('threads', values.threads ?? '1'),
    out: values.out === undefined ? outDefault : resolve(folder, values.out),
    browser: !values['no-browser'],
  }
}

function whole(name: string, given: string): number {
  const parsed = v.safeParse(Whole, given)
  if (!parsed.success) throw new Error(`--${name} needs a whole number from 1 to 99999, not "${given}"`)
  return parsed.output
}
