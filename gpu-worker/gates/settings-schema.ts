import * as v from 'valibot'
import { testRunnerNames } from '../ports/test-suite.ts'
import { MeasureList } from './measure-settings.ts'
import { ENTRIES_MAX, Glob, limit, PATTERN_CHARACTERS_MAX, Pattern, Weight } from './settings-fields.ts'
import { MissingReadmes, MissingTests, Naming, ProtectedGlobs } from './structure-schema.ts'

// The shape of `millwright.json`. docs/configuration.md says the same in words; `millwright.schema.json` is made from this
// by scripts/config-schema.ts. Every key may be left out; an unknown key is an error, since a misspelt rule protects nobody.

/** Languages in which missing_docs knows what a documentation comment is. */
export const documentedLanguages = ['python', 'javascript', 'typescript', 'go', 'rust', 'java'] as const

const Severities = v.strictObject({
  syntax: v.exactOptional(Weight),
  line_limit: v.exactOptional(Weight),
  forbidden_pattern: v.exactOptional(Weight),
  secrets: v.exactOptional(Weight),
  missing_docs: v.exactOptional(Weight),
  function_length: v.exactOptional(Weight),
  complexity: v.exactOptional(Weight),
  scope: v.exactOptional(Weight),
  naming: v.exactOptional(Weight),
  missing_tests: v.exactOptional(Weight),
  missing_readmes: v.exactOptional(Weight),
  ownership: v.exactOptional(Weight),
})

const LineLimit = v.strictObject({
  lines: v.optional(limit('Lines of a file of code; 300 unless told')),
  files: v.optional(
    v.pipe(
      v.array(v.strictObject({ glob: Glob, lines: limit('Lines of such a file, code or not') })),
      v.maxLength(ENTRIES_MAX),
      v.description('Other limits for some files; the first glob that matches decides'),
    ),
  ),
})

const ForbiddenPattern = v.strictObject({
  pattern: v.pipe(Pattern, v.description('An RE2 expression, searched in each line by itself')),
  files: v.optional(Glob),
  message: v.pipe(v.string(), v.minLength(1), v.maxLength(300), v.description('What to do instead, for the model')),
})

const Secrets = v.strictObject({
  allow: v.optional(
    v.pipe(
      v.array(Pattern),
      v.maxLength(ENTRIES_MAX),
      v.description('What is found and matches one of these is no secret'),
    ),
  ),
  allow_files: v.optional(
    v.pipe(v.array(Glob), v.maxLength(ENTRIES_MAX), v.description('Files that are not searched')),
  ),
})

/** Longer than a linter takes, shorter than the 30 s that a short call has. */
const COMMAND_TIMEOUT_S_DEFAULT = 20

const Command = v.strictObject({
  name: v.pipe(
    v.string(),
    v.regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'must be lower-case letters, digits, - and _, at most 40'),
    v.description('What it is called in verdicts; its rule is command:NAME'),
  ),
  run: v.pipe(
    v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(2000))),
    v.minLength(1),
    v.maxLength(ENTRIES_MAX),
    v.description('A program and its arguments, no shell. {file} stands for the path of the file that is checked'),
  ),
  files: v.optional(Glob),
  severity: v.optional(Weight, 'error'),
  timeout_s: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(600), v.description('Seconds; 20 unless told')),
    COMMAND_TIMEOUT_S_DEFAULT,
  ),
  scratch: v.optional(
    v.pipe(
      v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(PATTERN_CHARACTERS_MAX))),
      v.maxLength(10),
      v.description('Folders of the repository that it finds empty and may write to; gone afterwards'),
    ),
    [],
  ),
})

export type CommandEntry = v.InferOutput<typeof Command>

/** Of one test runner. A job has 30 minutes for all of them. */
const TEST_TIMEOUT_S_DEFAULT = 600
const TEST_TIMEOUT_S_MAX = 1800

const Test = v.strictObject({
  name: v.pipe(
    v.string(),
    v.regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'must be lower-case letters, digits, - and _, at most 40'),
    v.description('What it is called in results'),
  ),
  runner: v.pipe(v.picklist(testRunnerNames), v.description('What it is, which says how its results are read')),
  run: v.pipe(
    v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(2000))),
    v.minLength(1),
    v.maxLength(ENTRIES_MAX),
    v.description('The program and its arguments, no shell; what makes a report and what limits a run is added'),
  ),
  files: v.optional(v.pipe(Glob, v.description('The files that it is asked to run; all of its language unless told'))),
  timeout_s: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.maxValue(TEST_TIMEOUT_S_MAX),
      v.description('Seconds; 600 unless told'),
    ),
    TEST_TIMEOUT_S_DEFAULT,
  ),
  scratch: v.optional(
    v.pipe(
      v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(PATTERN_CHARACTERS_MAX))),
      v.maxLength(10),
      v.description('Folders of the repository that the tests find empty and may write to; gone afterwards'),
    ),
    [],
  ),
})

export type TestEntry = v.InferOutput<typeof Test>

const ComplexityByGlob = v.pipe(
  v.array(
    v.strictObject({
      glob: Glob,
      cyclomatic: v.optional(limit('As above where left out')),
      cognitive: v.optional(limit('As above where left out')),
    }),
  ),
  v.maxLength(ENTRIES_MAX),
  v.description('Other limits for some files; the first glob that matches decides'),
)

const Checks = v.strictObject({
  severities: v.optional(Severities),
  line_limit: v.optional(LineLimit),
  forbidden_pattern: v.optional(v.pipe(v.array(ForbiddenPattern), v.maxLength(ENTRIES_MAX))),
  secrets: v.optional(Secrets),
  missing_docs: v.optional(v.strictObject({ languages: v.optional(v.array(v.picklist(documentedLanguages))) })),
  function_length: v.optional(v.strictObject({ lines: v.optional(limit('Lines of one function; 60 unless told')) })),
  complexity: v.optional(
    v.strictObject({
      cyclomatic: v.optional(limit('10 unless told')),
      cognitive: v.optional(limit('15 unless told')),
      files: v.optional(ComplexityByGlob),
    }),
  ),
  naming: v.optional(Naming),
  missing_tests: v.optional(MissingTests),
  missing_readmes: v.optional(MissingReadmes),
  commands: v.optional(
    v.pipe(
      v.array(Command),
      v.maxLength(20),
      v.description('Programs that judge a file before it is written, in a sandbox'),
    ),
  ),
})

const Answers = v.strictObject({
  edits_above_lines: v.optional(
    limit('A file with more lines is changed by edits of line ranges instead of being written again; 200 unless told'),
  ),
})

const Templates = v.strictObject({
  folder: v.optional(
    v.pipe(
      v.string(),
      v.minLength(1),
      v.maxLength(PATTERN_CHARACTERS_MAX),
      v.description(
        'The folder of the repository that holds its templates, each in a folder of its own; templates unless told',
      ),
    ),
  ),
})

export const SettingsFile = v.strictObject({
  $schema: v.optional(v.string()),
  checks: v.optional(Checks),
  answers: v.optional(Answers),
  tests: v.optional(
    v.pipe(
      v.array(Test),
      v.maxLength(20),
      v.description('The test runners of the repository, in place of those that would be found'),
    ),
  ),
  measures: v.optional(MeasureList),
  protected_paths: v.optional(ProtectedGlobs),
  templates: v.optional(Templates),
})
export type SettingsFile = v.InferOutput<typeof SettingsFile>
