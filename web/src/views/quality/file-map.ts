import type { MappedFile } from './sarif-report.ts'
import { type Box, squarify } from './squarify.ts'

interface Place {
  readonly path: string
  /** The path from the folder around it. */
  readonly name: string
  readonly box: Box
}

/** A folder or a file below the folder that is shown. */
export type Tile =
  | (Place & { readonly kind: 'file'; readonly file: MappedFile })
  | (Place & { readonly kind: 'folder'; readonly lines: number; readonly hasName: boolean })

/** Room for the name of a folder above what it holds. */
const HEADER = 18
const GAP = 2
/** Smaller pieces show nothing that a finger or an eye could find; their folder shows them when it is opened. */
const SIDE_MIN = 4
/** In a folder smaller than this its name would take what its files need. */
const NAMED_WIDTH_MIN = 44
const NAMED_HEIGHT_MIN = 44

interface Entry {
  readonly path: string
  readonly name: string
  readonly lines: number
  readonly file: MappedFile | null
  readonly inside: readonly MappedFile[]
}

/**
 * Lays out what is below `folder` ('' for the top): files as pieces as large as they have lines, in the frames of their
 * folders. A folder that is too small has a frame without its name. Frames come before what lies in them.
 */
export function layOutFiles(files: readonly MappedFile[], folder: string, box: Box): Tile[] {
  const start = folder === '' ? '' : `${folder}/`
  return lay(
    files.filter(({ path, lines }) => lines > 0 && path.startsWith(start)),
    start,
    box,
  )
}

function lay(files: readonly MappedFile[], start: string, box: Box): Tile[] {
  const entries = entriesOf(files, start)
  const boxes = squarify(
    entries.map(({ lines }) => lines),
    box,
  )
  return entries.flatMap((entry, index) => {
    const outer = boxes[index]
    return outer === undefined ? [] : toTiles(entry, shrink(outer))
  })
}

function toTiles({ path, name, lines, file, inside }: Entry, box: Box): Tile[] {
  if (box.width < SIDE_MIN || box.height < SIDE_MIN) return []
  if (file !== null) return [{ kind: 'file', path, name, file, box }]
  const hasName = box.width >= NAMED_WIDTH_MIN && box.height >= NAMED_HEIGHT_MIN
  const frame: Tile = { kind: 'folder', path, name, lines, hasName, box }
  const top = hasName ? HEADER : GAP
  const within = {
    x: box.x + GAP,
    y: box.y + top,
    width: Math.max(0, box.width - 2 * GAP),
    height: Math.max(0, box.height - top - GAP),
  }
  return [frame, ...lay(inside, `${path}/`, within)]
}

/** What lies right below a folder, the largest first. A folder that holds nothing but one folder is shown as that one. */
function entriesOf(files: readonly MappedFile[], start: string): Entry[] {
  const groups = Map.groupBy(files, ({ path }) => path.slice(start.length).split('/')[0] ?? '')
  return [...groups]
    .map(([name, inside]) => toEntry(`${start}${name}`, start, inside))
    .toSorted((one, other) => other.lines - one.lines || (one.path < other.path ? -1 : 1))
}

function toEntry(path: string, start: string, inside: readonly MappedFile[]): Entry {
  const [first] = inside
  const name = path.slice(start.length)
  const lines = inside.reduce((sum, file) => sum + file.lines, 0)
  if (first !== undefined && inside.length === 1 && first.path === path)
    return { path, name, lines, file: first, inside }
  const names = new Set(inside.map((file) => file.path.slice(path.length + 1).split('/')[0]))
  const [only] = names
  const deeper = `${path}/${only}`
  if (names.size === 1 && inside.every((file) => file.path.startsWith(`${deeper}/`)))
    return toEntry(deeper, start, inside)
  return { path, name, lines, file: null, inside }
}

const shrink = ({ x, y, width, height }: Box): Box => ({
  x: x + GAP / 2,
  y: y + GAP / 2,
  width: Math.max(0, width - GAP),
  height: Math.max(0, height - GAP),
})
