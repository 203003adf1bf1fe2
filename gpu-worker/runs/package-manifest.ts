import * as v from 'valibot'

const Manifest = v.object({
  version: v.fallback(v.string(), ''),
  scripts: v.fallback(v.record(v.string(), v.unknown()), {}),
  dependencies: v.fallback(v.record(v.string(), v.unknown()), {}),
  devDependencies: v.fallback(v.record(v.string(), v.unknown()), {}),
  jest: v.fallback(v.unknown(), undefined),
})

export interface PackageManifest {
  readonly version: string
  /** Empty where there is none. */
  readonly testScript: string
  /** Whether a test runner is among the dependencies, or configured in the manifest. */
  uses(runner: 'vitest' | 'jest'): boolean
}

/** Reads what tests need of a `package.json`; null where it is none. */
export function readManifest(text: string): PackageManifest | null {
  const parsed = v.safeParse(Manifest, parseJson(text))
  if (!parsed.success) return null
  const { version, scripts, dependencies, devDependencies, jest } = parsed.output
  return {
    version,
    testScript: typeof scripts.test === 'string' ? scripts.test : '',
    uses: (runner) =>
      Object.hasOwn(dependencies, runner) ||
      Object.hasOwn(devDependencies, runner) ||
      (runner === 'jest' && jest !== undefined),
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
