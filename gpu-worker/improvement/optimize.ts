import { AppError } from '#shared/errors.ts'
import type { MeasureSettings } from '../gates/measure-settings.ts'
import { SETTINGS_PATH } from '../gates/settings.ts'
import { createMeasureOracle } from './measure-oracle.ts'
import { claimCode, type Plan, type PlanRequest } from './plan.ts'
import { createPublicNamesOracle } from './public-names-oracle.ts'
import { createSuiteOracle } from './suite-oracle.ts'

/** A change for speed: a command of the repository's choice takes less time, public names stay, tests pass as before. */
export async function planOptimization(measure: string | null, request: PlanRequest): Promise<Plan> {
  const { ports, signal, tell } = request
  const chosen = await chooseMeasure(measure, request)
  const file = await claimCode('optimize', request)
  const suite = await createSuiteOracle(ports.suite, file, signal, tell)
  return {
    file,
    context: [],
    message: `Make this code faster: \`${chosen.run.join(' ')}\`, which runs it, must take less time. Keep what the code does, and all names that others may use.`,
    oracles: [
      await createPublicNamesOracle(ports.parser, file, true, signal),
      suite,
      await createMeasureOracle(ports.runner, chosen, file.path, signal, tell),
    ],
  }
}

/** The measure of a name, or the only one there is. */
async function chooseMeasure(name: string | null, { ports }: PlanRequest): Promise<MeasureSettings> {
  const { settings, fault } = await ports.settings()
  const { measures } = settings
  const [first, second] = measures
  const found = name === null && second === undefined ? first : measures.find((each) => each.name === name)
  if (fault === null && found !== undefined) return found
  const known = measures.map((each) => `"${each.name}"`).join(', ')
  const wanted = name === null ? 'no measure was named' : `there is no measure "${name}"`
  throw new AppError(
    'invalid_input',
    `Cannot optimize: ${fault ?? (known === '' ? `${SETTINGS_PATH} has no measures` : wanted)}`,
    {
      hint:
        known === ''
          ? `A person adds one to ${SETTINGS_PATH}: "measures": [{ "name": "speed", "run": ["python3", "bench.py"] }], a command whose time is to fall`
          : `Name one of ${known}`,
    },
  )
}
