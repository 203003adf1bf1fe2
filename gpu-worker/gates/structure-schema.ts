import * as v from 'valibot'
import { ENTRIES_MAX, Glob, PATTERN_CHARACTERS_MAX, Pattern } from './settings-fields.ts'

// The part of `millwright.json` that is about names, places and companions of files.

const globs = (text: string) => v.pipe(v.array(Glob), v.maxLength(ENTRIES_MAX), v.description(text))

/** Ways of writing a name. `any` takes every name, so that an entry can make an exception. */
export const namingStyles = ['snake_case', 'camelCase', 'PascalCase', 'kebab-case', 'UPPER_CASE', 'any'] as const

/** What has a name. */
export const namedThings = ['files', 'folders', 'functions', 'classes', 'constants'] as const

/** Languages in which the grammar tells functions, classes and constants apart. */
export const namedLanguages = ['python', 'javascript', 'typescript', 'go', 'rust', 'java', 'c', 'cpp'] as const

const NamingRule = v.strictObject({
  of: v.pipe(v.picklist(namedThings), v.description('What is named')),
  style: v.pipe(
    v.union([v.picklist(namingStyles), v.pipe(v.array(v.picklist(namingStyles)), v.minLength(1))]),
    v.description('One way of writing it, or several of which one must fit'),
  ),
  files: v.optional(Glob),
  languages: v.optional(v.pipe(v.array(v.picklist(namedLanguages)), v.description('All languages unless told'))),
  allow: v.optional(
    v.pipe(v.array(Pattern), v.maxLength(ENTRIES_MAX), v.description('Names that match one of these are right')),
  ),
})
export type NamingEntry = v.InferOutput<typeof NamingRule>

export const Naming = v.pipe(
  v.array(NamingRule),
  v.maxLength(ENTRIES_MAX),
  v.description('How names are written; of the entries for one kind of name the first that fits the file decides'),
)

const TestsRule = v.strictObject({
  files: Glob,
  except: v.optional(globs('Files that need no test')),
  tests: v.pipe(
    v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(PATTERN_CHARACTERS_MAX))),
    v.minLength(1),
    v.maxLength(10),
    v.description(
      'Where the test may be: {dir} the folder of the file, {sub} the same without its first folder, {name} its name, {ext} its extension, ** any folders',
    ),
  ),
})
export type TestsEntry = v.InferOutput<typeof TestsRule>

export const MissingTests = v.pipe(
  v.array(TestsRule),
  v.maxLength(ENTRIES_MAX),
  v.description('Which files need a test beside them or elsewhere; the first entry that fits a file decides'),
)

export const MissingReadmes = v.strictObject({
  folders: v.optional(globs('Folders that need a README; . is the top of the repository')),
  beside: v.optional(globs('Files beside which there must be a README')),
  names: v.optional(
    v.pipe(
      v.array(v.pipe(v.string(), v.regex(/^[^/\\]{1,100}$/, 'must be a file name'))),
      v.minLength(1),
      v.maxLength(10),
      v.description('What a README may be called, in any case; README with .md, .rst, .txt or nothing unless told'),
    ),
  ),
})
export type ReadmesEntry = v.InferOutput<typeof MissingReadmes>

export const ProtectedGlobs = globs(
  'Files and folders that no tool writes, besides those that are protected anyway; docs/security.md',
)
