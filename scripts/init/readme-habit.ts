import type { ReadmesEntry } from '#gpu-worker/gates/structure-schema.ts'

/** Fewer prove no habit. */
const FOLDERS_MIN = 2
const README = /^readme(?:\.(?:md|rst|txt))?$/i

/** Folders of which every one below has a README, as packages often do; null where there are none. */
export function findReadmeHabit(files: readonly string[]): ReadmesEntry | null {
  const documented = new Set<string>()
  const below = new Map<string, Set<string>>()
  for (const path of files) {
    const parts = path.split('/')
    const name = parts.pop() ?? ''
    if (README.test(name)) documented.add(parts.join('/'))
    for (let depth = 2; depth <= parts.length; depth++) {
      const parent = parts.slice(0, depth - 1).join('/')
      const children = below.get(parent) ?? new Set<string>()
      below.set(parent, children.add(parts.slice(0, depth).join('/')))
    }
  }
  const habits = [...below]
    .filter(([, children]) => children.size >= FOLDERS_MIN && [...children].every((child) => documented.has(child)))
    .map(([parent]) => `${parent.replace(/[[{]/g, '[$&]')}/*`)
    .toSorted()
    .slice(0, 49)
  return habits.length === 0 ? null : { folders: ['.', ...habits] }
}
