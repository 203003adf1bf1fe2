export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/**
 * Divides a box among sizes, each piece as large as its share and as near to a square as may be (Bruls, Huizing and van
 * Wijk, "Squarified Treemaps"). `sizes` are above 0, the largest first; the pieces come in the same order.
 */
export function squarify(sizes: readonly number[], box: Box): Box[] {
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const scale = total === 0 ? 0 : (box.width * box.height) / total
  const pieces: Box[] = []
  let rest = box
  let next = 0
  while (next < sizes.length) {
    const side = Math.min(rest.width, rest.height)
    const row: number[] = []
    let worst = Number.POSITIVE_INFINITY
    for (let size = sizes[next + row.length]; size !== undefined; size = sizes[next + row.length]) {
      const longer = worstRatio([...row, size * scale], side)
      if (longer > worst) break
      worst = longer
      row.push(size * scale)
    }
    next += row.length
    rest = layRow(row, rest, pieces)
  }
  return pieces
}

/** How far the least square piece of a row is from a square. */
function worstRatio(row: readonly number[], side: number): number {
  const sum = row.reduce((one, other) => one + other, 0)
  const length = sum / side
  return Math.max(...row.map((area) => Math.max(length ** 2 / area, area / length ** 2)))
}

/** Puts a row along the shorter side of `box`; answers what is left of it. */
function layRow(row: readonly number[], box: Box, pieces: Box[]): Box {
  const sum = row.reduce((one, other) => one + other, 0)
  const isUpright = box.width >= box.height
  const side = isUpright ? box.height : box.width
  const depth = side === 0 ? 0 : sum / side
  let at = isUpright ? box.y : box.x
  for (const area of row) {
    const length = depth === 0 ? 0 : area / depth
    pieces.push(
      isUpright ? { x: box.x, y: at, width: depth, height: length } : { x: at, y: box.y, width: length, height: depth },
    )
    at += length
  }
  return isUpright
    ? { x: box.x + depth, y: box.y, width: Math.max(0, box.width - depth), height: box.height }
    : { x: box.x, y: box.y + depth, width: box.width, height: Math.max(0, box.height - depth) }
}
