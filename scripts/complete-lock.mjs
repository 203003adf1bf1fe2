import { readFileSync, writeFileSync } from 'node:fs'

// Run by hand after a dependency has changed: node scripts/complete-lock.mjs
//
// A registry mirror may offer only the packages of one platform. npm then writes a lock file that lacks the others, and
// `npm ci` refuses such a lock everywhere. This adds the optional platform packages that the lock's own packages name,
// without hashes, which npm fills in where it can reach them.

/** @type {Record<string, string>} */
const systems = {
  aix: 'aix',
  android: 'android',
  darwin: 'darwin',
  freebsd: 'freebsd',
  linux: 'linux',
  mac: 'darwin',
  netbsd: 'netbsd',
  openbsd: 'openbsd',
  openharmony: 'openharmony',
  sunos: 'sunos',
  win: 'win32',
  win32: 'win32',
  windows: 'win32',
}
/** @type {Record<string, string>} */
const processors = {
  64: 'x64',
  arm: 'arm',
  arm64: 'arm64',
  armv7l: 'arm',
  ia32: 'ia32',
  loong64: 'loong64',
  mips64el: 'mips64el',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  wasm32: 'wasm32',
  x64: 'x64',
}

/**
 * @param {string} name
 * @param {Record<string, string>} words
 */
const findIn = (name, words) =>
  name
    .split(/[-/]/)
    .map((word) => words[word])
    .find((word) => word !== undefined)

/** @param {string} name */
const libcOf = (name) => (name.includes('musl') ? ['musl'] : name.includes('gnu') ? ['glibc'] : undefined)

const file = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(file, 'utf8'))
/**
 * Where the package at `path` finds one that it depends on, the nearest first.
 * @param {string} path
 * @param {string} name
 */
function findPlaces(path, name) {
  const places = [`${path}/node_modules/${name}`]
  for (let at = path.lastIndexOf('/node_modules/'); at > 0; at = path.lastIndexOf('/node_modules/', at - 1)) {
    places.push(`${path.slice(0, at)}/node_modules/${name}`)
  }
  return [...places, `node_modules/${name}`]
}

/**
 * Where npm would put it: beside those that the same package wants of the same version, as the one of this platform.
 * @param {string} path
 * @param {string} name
 * @param {Record<string, string>} wanted
 */
function choosePlace(path, name, wanted) {
  for (const [sibling, version] of Object.entries(wanted)) {
    const place = findPlaces(path, sibling).find((each) => each in packages)
    if (place !== undefined && packages[place]?.version === version) return `${place.slice(0, -sibling.length)}${name}`
  }
  return `${path}/node_modules/${name}`
}

/** @type {Record<string, { version?: string, optionalDependencies?: Record<string, string>, dev?: true, engines?: unknown }>} */
const packages = lock.packages
let added = 0
for (const [path, entry] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const there = findPlaces(path, name).find((place) => place in packages)
    if (there !== undefined && (!/^\d/.test(version) || packages[there]?.version === version)) continue
    const system = findIn(name, systems)
    const processor = findIn(name, processors)
    if (!/^\d/.test(version) || (system === undefined && processor === undefined)) {
      console.error(`Left out ${name}@${version}: its platform cannot be read off its name`)
      continue
    }
    const missing = {
      version,
      ...(processor === undefined ? {} : { cpu: [processor] }),
      ...(entry.dev === undefined ? {} : { dev: entry.dev }),
      ...(libcOf(name) === undefined ? {} : { libc: libcOf(name) }),
      optional: true,
      ...(system === undefined ? {} : { os: [system] }),
      ...(entry.engines === undefined ? {} : { engines: entry.engines }),
    }
    packages[choosePlace(path, name, entry.optionalDependencies ?? {})] = missing
    added++
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`Added ${added} packages of other platforms`)
