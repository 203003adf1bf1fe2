import { posix } from 'node:path'

/** As git has it: a file, one that may be run, a link. */
export type FileMode = '100644' | '100755' | '120000'

// A name that every object has, as `constructor`, must not be found in a table.
const toTable = (tags: Readonly<Record<string, string>>): ReadonlyMap<string, string> => new Map(Object.entries(tags))

/** What pre-commit calls types: a subset of the tags of its library `identify`, by extension. */
const byExtension = toTable({
  bash: 'text shell bash',
  bat: 'text batch',
  bats: 'text shell bash',
  c: 'text c',
  cc: 'text c++',
  cfg: 'text',
  cjs: 'text javascript',
  conf: 'text',
  cpp: 'text c++',
  cs: 'text c#',
  css: 'text css',
  csv: 'text csv',
  cts: 'text ts',
  cxx: 'text c++',
  gemspec: 'text ruby',
  geojson: 'text json',
  gif: 'binary image gif',
  go: 'text go',
  gradle: 'text groovy',
  graphql: 'text graphql',
  gz: 'binary gzip',
  h: 'text header c c++',
  hh: 'text header c++',
  hpp: 'text header c++',
  htm: 'text html',
  html: 'text html',
  hxx: 'text header c++',
  ini: 'text ini',
  ipynb: 'text jupyter json',
  java: 'text java',
  jpeg: 'binary image jpeg',
  jpg: 'binary image jpeg',
  js: 'text javascript',
  json: 'text json',
  jsonld: 'text json',
  jsx: 'text jsx',
  kt: 'text kotlin',
  ksh: 'text shell',
  kts: 'text kotlin',
  less: 'text less',
  lua: 'text lua',
  markdown: 'text markdown',
  md: 'text markdown',
  mjs: 'text javascript',
  mts: 'text ts',
  pdf: 'binary pdf',
  php: 'text php',
  pl: 'text perl',
  plist: 'text xml',
  png: 'binary image png',
  proto: 'text proto',
  ps1: 'text powershell',
  py: 'text python',
  pyi: 'text pyi',
  rb: 'text ruby',
  rs: 'text rust',
  rst: 'text rst',
  scala: 'text scala',
  scss: 'text scss',
  sh: 'text shell sh',
  sql: 'text sql',
  svelte: 'text svelte',
  svg: 'text image svg xml',
  swift: 'text swift',
  tf: 'text terraform',
  tfvars: 'text terraform',
  toml: 'text toml',
  ts: 'text ts',
  tsx: 'text tsx',
  txt: 'text plain-text',
  vue: 'text vue',
  webmanifest: 'text json',
  wsdl: 'text xml',
  xml: 'text xml',
  xsd: 'text xml',
  xsl: 'text xml',
  xslt: 'text xml',
  yaml: 'text yaml',
  yml: 'text yaml',
  zip: 'binary zip',
  zsh: 'text shell zsh',
})

const byName = toTable({
  '.bash_aliases': 'text shell bash',
  '.bash_profile': 'text shell bash',
  '.bashrc': 'text shell bash',
  '.clang-format': 'text yaml',
  '.coveragerc': 'text ini',
  '.dockerignore': 'text dockerignore',
  '.editorconfig': 'text editorconfig',
  '.flake8': 'text ini',
  '.gitattributes': 'text gitattributes',
  '.gitignore': 'text gitignore',
  '.pylintrc': 'text ini',
  '.zshenv': 'text shell zsh',
  '.zshrc': 'text shell zsh',
  'cargo.lock': 'text toml',
  'cmakelists.txt': 'text plain-text cmake',
  dockerfile: 'text dockerfile',
  gemfile: 'text ruby',
  'go.mod': 'text go-mod',
  jenkinsfile: 'text groovy',
  license: 'text plain-text',
  makefile: 'text makefile',
  pipfile: 'text toml',
  'pipfile.lock': 'text json',
  'poetry.lock': 'text toml',
  pylintrc: 'text ini',
  rakefile: 'text ruby',
  'setup.cfg': 'text ini',
  vagrantfile: 'text ruby',
})

/** By the program that a file without a telling name is run by. */
const byInterpreter = toTable({
  bash: 'shell bash',
  dash: 'shell dash',
  node: 'javascript',
  perl: 'perl',
  python: 'python',
  python2: 'python python2',
  python3: 'python python3',
  ruby: 'ruby',
  sh: 'shell sh',
  zsh: 'shell zsh',
})

const general = ['file', 'symlink', 'text', 'binary', 'executable', 'non-executable']
const known = new Set([
  ...general,
  ...[byExtension, byName, byInterpreter].flatMap((table) => [...table.values()]).flatMap((tags) => tags.split(' ')),
])

/** Of these, what only pre-commit itself knows: a type that we have no rule for must not pass for one that no file has. */
export const unknownTypes = (types: readonly string[]): string[] => types.filter((type) => !known.has(type))

/** A kilobyte tells, as in `identify`. */
const LOOK_BYTES = 1024

/** The types of a file. Its bytes are asked for only where its name does not tell; null where they cannot be read. */
export async function typesOf(
  path: string,
  mode: FileMode,
  read: () => Promise<Uint8Array | null>,
): Promise<ReadonlySet<string>> {
  if (mode === '120000') return new Set(['symlink'])
  const types = new Set(['file', mode === '100755' ? 'executable' : 'non-executable'])
  const name = posix.basename(path).toLowerCase()
  const told = byName.get(name) ?? byName.get(variantOf(name)) ?? byExtension.get(name.split('.').at(-1) ?? '')
  if (told !== undefined) {
    for (const tag of told.split(' ')) types.add(tag)
    return types
  }
  const head = Buffer.from((await read()) ?? []).subarray(0, LOOK_BYTES)
  // As `identify` does, all bytes of Latin-1 are taken for text, and only the control characters of data are not.
  const isText = !head.some(
    (byte) => byte < 7 || byte === 11 || (byte > 13 && byte < 27) || (byte > 27 && byte < 32) || byte === 127,
  )
  types.add(isText ? 'text' : 'binary')
  if (mode === '100755' && isText) for (const tag of shebangTags(head.toString('latin1'))) types.add(tag)
  return types
}

/** `Dockerfile.test` is a Dockerfile too. */
const variantOf = (name: string): string => (name.startsWith('dockerfile.') ? 'dockerfile' : '')

function shebangTags(head: string): string[] {
  const words = /^#!\s*(.*)/.exec(head)?.[1]?.trim().split(/\s+/) ?? []
  const program =
    posix.basename(words[0] ?? '') === 'env' ? words.slice(1).find((word) => !word.startsWith('-')) : words[0]
  const name = posix.basename(program ?? '')
  return (byInterpreter.get(name) ?? byInterpreter.get(name.replace(/\.\d+$/, '')) ?? '')
    .split(' ')
    .filter((tag) => tag !== '')
}
