import { fileKind } from '../gates/file-kind.ts'
import { folderNameFindings } from '../gates/naming.ts'
import { type PathsByName, toPathsByName } from '../gates/needed-path.ts'
import type { CheckSettings } from '../gates/settings.ts'
import type { Weight } from '../gates/severity.ts'
import { isTestFile } from '../gates/test-file.ts'
import type { FindingCollector } from './findings.ts'

/** Places that a message names: the first say enough. */
const PLACES_SHOWN_MAX = 3

export interface StructureRequest {
  /** Every file that there is. */
  readonly files: readonly string[]
  /** Whether a file or folder is to be judged. */
  readonly isAsked: (path: string) => boolean
  readonly settings: CheckSettings
  readonly collector: FindingCollector
  /** Called for each file, so that others have their turn; rejects when the work is to stop. */
  readonly pace: () => Promise<void> | null
}

/** What the list of files alone can tell: tests and READMEs that are missing, and how folders are named. */
export async function checkStructure(request: StructureRequest): Promise<void> {
  const { files, settings } = request
  const { missing_tests, missing_readmes, naming } = settings.severities
  const paths = toPathsByName(files)
  const folders = new Map<string, boolean>()
  for (const path of files) {
    const pause = request.pace()
    if (pause !== null) await pause
    if (missing_tests !== 'off') checkTest(request, missing_tests, path, paths)
    if (missing_readmes !== 'off') noteFolders(folders, path, settings)
  }
  if (missing_readmes !== 'off') await checkReadmes(request, missing_readmes, folders)
  if (naming !== 'off') checkFolderNames(request, naming)
}

function checkTest(
  { settings, collector, isAsked }: StructureRequest,
  weight: Exclude<Weight, 'off'>,
  path: string,
  paths: PathsByName,
): void {
  if (!fileKind(path).isCode || isTestFile(path) || !isAsked(path)) return
  const rule = settings.requiredTests.find(({ matches }) => matches(path))
  if (rule === undefined) return
  if (rule.places.some((place) => place.isThere(path, paths))) {
    collector.add('missing_tests', weight, path, [])
    return
  }
  const places = [...new Set(rule.places.map((place) => place.show(path)))].slice(0, PLACES_SHOWN_MAX)
  const message = `No test: write ${places.map((place) => `\`${place}\``).join(' or ')}`
  collector.add('missing_tests', weight, path, [{ severity: weight, message, line: null, column: null }])
}

/** Folders by path, `.` for the top, and whether something beside asks for a README. Folders without files are none. */
function noteFolders(folders: Map<string, boolean>, path: string, { requiredReadmes }: CheckSettings): void {
  const folder = folderOf(path)
  const isBeside = folders.get(folder) === true || requiredReadmes.beside(path)
  folders.set(folder, isBeside)
  for (let outer = folder; outer !== '.'; ) {
    outer = folderOf(outer)
    if (folders.has(outer)) return
    folders.set(outer, false)
  }
}

const folderOf = (path: string): string => {
  const slash = path.lastIndexOf('/')
  return slash === -1 ? '.' : path.slice(0, slash)
}

async function checkReadmes(
  { files, settings, collector, isAsked, pace }: StructureRequest,
  weight: Exclude<Weight, 'off'>,
  folders: ReadonlyMap<string, boolean>,
): Promise<void> {
  const { folder: isNamed, names } = settings.requiredReadmes
  const documented = new Set(files.filter((path) => names.has(baseOf(path).toLowerCase())).map(folderOf))
  for (const [folder, isBeside] of folders) {
    const pause = pace()
    if (pause !== null) await pause
    if (!(isBeside || isNamed(folder))) continue
    const wanted = folder === '.' ? 'README.md' : `${folder}/README.md`
    if (!isAsked(wanted)) continue
    const message = `No README in ${folder === '.' ? 'the top folder' : `\`${folder}\``}: say what is in it and how it is used`
    const found = documented.has(folder) ? [] : [{ severity: weight, message, line: null, column: null }]
    collector.add('missing_readmes', weight, wanted, found)
  }
}

const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** Each folder once, however many files are in it. */
function checkFolderNames(
  { files, settings, collector, isAsked }: StructureRequest,
  weight: Exclude<Weight, 'off'>,
): void {
  if (!settings.naming.some(({ of }) => of === 'folders')) return
  const parents = new Set(files.filter(isAsked).map(folderOf))
  const seen = new Set<string>()
  for (const parent of parents) {
    for (const { folder, finding } of folderNameFindings(settings.naming, `${parent}/x`)) {
      if (seen.has(folder)) continue
      seen.add(folder)
      collector.add('naming', weight, folder, [{ severity: weight, ...finding }])
    }
  }
}
