import { type KeyboardEvent, type MouseEvent, useEffect, useMemo, useRef, useState } from 'react'
import { counted } from '../../components/words.ts'
import { toHash } from '../../state/route.ts'
import { stepOf } from './complexity-scale.ts'
import { layOutFiles, type Tile } from './file-map.ts'
import type { MappedFile } from './sarif-report.ts'

interface ComplexityMapProps {
  readonly files: readonly MappedFile[]
  readonly folder: string
  readonly onOpen: (folder: string) => void
}

const HEIGHT = 460
/** A character of a label, in pixels at the size of the labels. */
const CHARACTER = { file: 6.4, folder: 7.4 }

/**
 * Files as areas, as large as they have lines and coloured by complexity. One stop for the tab key; arrows go from piece to
 * piece, Enter opens a folder here and a file on its page.
 */
export function ComplexityMap({ files, folder, onOpen }: ComplexityMapProps) {
  const place = useRef<HTMLElement>(null)
  const width = useWidth(place)
  const tiles = useMemo(
    () => (width === 0 ? [] : layOutFiles(files, folder, { x: 0, y: 0, width, height: HEIGHT })),
    [files, folder, width],
  )
  const [at, setAt] = useState(0)
  const current = Math.min(at, Math.max(0, tiles.length - 1))

  const move = (event: KeyboardEvent) => {
    const next = { ArrowRight: current + 1, ArrowDown: current + 1, ArrowLeft: current - 1, ArrowUp: current - 1 }[
      event.key
    ]
    if (next === undefined || next < 0 || next >= tiles.length) return
    event.preventDefault()
    setAt(next)
    place.current?.querySelectorAll<SVGAElement>('a')[next]?.focus()
  }
  const open = (event: MouseEvent, tile: Tile) => {
    if (tile.kind === 'file') return
    event.preventDefault()
    setAt(0)
    onOpen(tile.path)
  }

  return (
    <nav ref={place} className="map" aria-label="Map of files: the same as the table below">
      <svg width={width} height={HEIGHT}>
        <title>Map of files</title>
        {tiles.map((tile, index) => {
          const { path, box } = tile
          return (
            <a
              key={`${tile.kind} ${path}`}
              href={tile.kind === 'file' ? toHash('quality', 'file', path) : toHash('quality')}
              aria-label={describe(tile)}
              tabIndex={index === current ? 0 : -1}
              className={tile.kind === 'file' ? `tile tile-${stepName(tile.file)}` : 'tile tile-folder'}
              onKeyDown={move}
              onClick={(event) => open(event, tile)}
            >
              <title>{describe(tile)}</title>
              <rect x={box.x} y={box.y} width={box.width} height={box.height} rx={2} />
            </a>
          )
        })}
        {/* Beside the links: a link is named by all that its piece stands for, and not by as much of it as has room. */}
        <g className="map-labels">
          {tiles.map((tile) => (
            <Label key={`${tile.kind} ${tile.path}`} tile={tile} />
          ))}
        </g>
      </svg>
    </nav>
  )
}

function Label({ tile }: { readonly tile: Tile }) {
  const { kind, name, box } = tile
  const room = Math.floor((box.width - 8) / CHARACTER[kind])
  if (room < 4 || box.height < 18 || (kind === 'folder' && !tile.hasName)) return null
  return (
    <text x={box.x + 5} y={box.y + 13} className={`label-${kind === 'file' ? stepName(tile.file) : 'folder'}`}>
      {name.length <= room ? name : `${name.slice(0, room - 1)}…`}
    </text>
  )
}

const stepName = ({ cognitive }: MappedFile): string => String(stepOf(cognitive) ?? 'none')

function describe(tile: Tile): string {
  if (tile.kind === 'folder') return `Folder ${tile.path}, ${counted(tile.lines, 'line')}`
  const { cognitive, cyclomatic, lines } = tile.file
  const figures = cognitive === null ? 'no code' : `cognitive complexity ${cognitive}, cyclomatic ${cyclomatic}`
  return `${tile.path}, ${counted(lines, 'line')}, ${figures}`
}

/** How wide an element is, now and later. */
function useWidth(place: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0)
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const watched = new ResizeObserver(() => setWidth(element.clientWidth))
    watched.observe(element)
    return () => watched.disconnect()
  }, [place])
  return width
}
