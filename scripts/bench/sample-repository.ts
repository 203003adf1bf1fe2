/** How many files of each kind of a hundred, with a spread of lengths as repositories have it. */
const kinds = [
  { share: 34, extension: 'py', write: python },
  { share: 30, extension: 'ts', write: typescript },
  { share: 6, extension: 'go', write: go },
  { share: 5, extension: 'java', write: java },
  { share: 8, extension: 'json', write: json },
  { share: 5, extension: 'yaml', write: yaml },
  { share: 12, extension: 'md', write: markdown },
] as const

const byShare = kinds.flatMap((kind) => Array.from({ length: kind.share }, () => kind))

/** Functions of a file: most files are short, a few are long. The mean is nine, which is 140 lines and 3.6 kB. */
const sizes = [1, 2, 3, 3, 4, 5, 6, 8, 10, 12, 16, 38] as const

/** Files of a repository by path, the same for the same number: real-looking code, data and prose, each like no other. */
export function sampleRepository(count: number): Record<string, string> {
  const files: Record<string, string> = { 'README.md': '# Sample\n\nA repository of many files.\n' }
  for (let index = 1; index < count; index++) {
    const at = (index * 37) % 100
    const kind = byShare[at] ?? kinds[0]
    const size = sizes[(index * 7) % sizes.length] ?? 1
    files[`part${index % 40}/area${index % 7}/module_${index}.${kind.extension}`] = kind.write(index, size)
  }
  return files
}

const times = (size: number, write: (at: number) => string): string =>
  Array.from({ length: size }, (_, at) => write(at)).join('\n')
const field = (index: number, at: number): string => `field_${(index * 31 + at * 7) % 997}`

function python(index: number, size: number): string {
  const functions = times(
    size,
    (at) => `
def step_${index}_${at}(items, limit=${at}):
    """Adds up what the items of ${field(index, at)} hold, up to a limit."""
    total = limit
    for item in items:
        if item.${field(index, at)} is None:
            continue
        if item.${field(index, at + 1)} > ${index + at} and total < limit * ${at + 2}:
            total += weight(item.${field(index, at + 2)}, "${field(index, at)}")
        elif total % ${at + 3} == 0:
            total -= 1
    return {"total": total, "count": len(items), "name": f"{limit}-${index}"}
`,
  )
  return `"""Module ${index}: sums and weights."""\n\nfrom . import weight\n\nLIMIT = ${index}\n\n${functions}`
}

function typescript(index: number, size: number): string {
  const functions = times(
    size,
    (at) => `/** Adds up what the items of ${field(index, at)} hold, up to a limit. */
export function step${index}x${at}(items: readonly Item[], limit = ${at}): Sum {
  let total = limit
  for (const item of items) {
    if (item.${field(index, at)} === null) continue
    if (item.${field(index, at + 1)} > ${index + at} && total < limit * ${at + 2}) {
      total += weigh(item.${field(index, at + 2)}, '${field(index, at)}')
    } else if (total % ${at + 3} === 0) total -= 1
  }
  return { total, count: items.length, name: \`\${limit}-${index}\` }
}
`,
  )
  return `import { type Item, type Sum, weigh } from './weigh.ts'\n\nconst LIMIT = ${index}\n\n${functions}`
}

function go(index: number, size: number): string {
  const functions = times(
    size,
    (at) => `// Step${at} adds up what the items hold.
func Step${at}(items []Item, limit int) int {
	total := limit
	for _, item := range items {
		if item.${field(index, at)} > ${at} && total < limit {
			total += weigh(item.${field(index, at + 1)}, "${field(index, at)}")
		}
	}
	return total
}
`,
  )
  return `package module${index}\n\n${functions}`
}

function java(index: number, size: number): string {
  const methods = times(
    size,
    (at) => `  /** Adds up what the items hold. */
  public int step${at}(List<Item> items, int limit) {
    int total = limit;
    for (Item item : items) {
      if (item.${field(index, at)} > ${at} && total < limit) {
        total += weigh(item.${field(index, at + 1)}, "${field(index, at)}");
      }
    }
    return total;
  }
`,
  )
  return `package part;\n\nimport java.util.List;\n\npublic class Module${index} {\n${methods}}\n`
}

function json(index: number, size: number): string {
  const entries = Array.from({ length: size * 8 }, (_, at) => ({
    id: index * 100 + at,
    name: field(index, at),
    on: at % 2 === 0,
  }))
  return `${JSON.stringify({ index, entries }, null, 2)}\n`
}

function yaml(index: number, size: number): string {
  return `name: module-${index}\nsteps:\n${times(size * 4, (at) => `  - name: ${field(index, at)}\n    run: [build, "${at}"]\n    when: { branch: main }`)}\n`
}

function markdown(index: number, size: number): string {
  return `# Module ${index}\n\n${times(size * 3, (at) => `## ${field(index, at)}\n\nIt adds up what the items hold, and *stops* at a limit of \`${at}\`.\n\n- one\n- two\n`)}`
}
