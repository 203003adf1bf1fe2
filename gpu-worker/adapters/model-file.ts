import { open, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AppError } from '#shared/errors.ts'
import { GgufProblem, HEADER_BYTES_MAX, parseGgufHeader } from '../inference/gguf-header.ts'

/** Changes whenever the file does; null where there is none. */
export async function readFingerprint(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null)
  return found === null ? null : `${found.ino}:${found.size}:${found.mtimeMs}`
}

/**
 * Reads the headers of a model file, and of its other parts where it is split, and compares their sizes with what they
 * claim. Refuses with `model_unavailable`; `details.file` is `missing` or `damaged`.
 */
export async function inspectModelFile(path: string): Promise<void> {
  for (const part of listModelParts(path)) await inspectPart(part)
}

/** `model-00001-of-00003.gguf` stands for three files. */
export function listModelParts(path: string): string[] {
  const match = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i.exec(basename(path))
  const [, stem, , last] = match ?? []
  if (stem === undefined || last === undefined) return [path]
  const count = Math.min(Number(last), 1000)
  return Array.from({ length: count }, (_, index) =>
    join(dirname(path), `${stem}-${String(index + 1).padStart(5, '0')}-of-${last}.gguf`),
  )
}

async function inspectPart(path: string): Promise<void> {
  const name = basename(path)
  const found = await stat(path).catch(() => null)
  if (found === null) {
    throw problem(
      name,
      'missing',
      'there is no such file',
      'Correct the path given with --model, or put the file there',
    )
  }
  if (!found.isFile()) throw problem(name, 'damaged', 'it is not a file', 'Pass the path of a .gguf file')
  if (found.size === 0) throw problem(name, 'damaged', 'the file is empty', 'Download it again')
  try {
    const bytesMin = await readBytesMin(path, found.size)
    if (found.size < bytesMin) {
      throw new GgufProblem(`is truncated: ${found.size} bytes, its header claims ${bytesMin}`)
    }
  } catch (error) {
    const why = error instanceof GgufProblem ? `the file ${error.message}` : 'the file cannot be read'
    throw problem(name, 'damaged', why, 'Download it again, or pass another .gguf file with --model', error)
  }
}

/** Reads as much of the file as the header takes: its length is not known before. */
async function readBytesMin(path: string, size: number): Promise<number> {
  const file = await open(path, 'r')
  try {
    for (let length = 1024 * 1024; ; length *= 4) {
      const bytes = new Uint8Array(Math.min(length, size, HEADER_BYTES_MAX))
      let had = 0
      while (had < bytes.length) {
        const { bytesRead } = await file.read(bytes, had, bytes.length - had, had)
        if (bytesRead === 0) break
        had += bytesRead
      }
      const header = parseGgufHeader(bytes.subarray(0, had))
      if (header !== null) return header.fileBytesMin
      if (had === size) throw new GgufProblem(`is truncated: it ends within its header, after ${size} bytes`)
      if (had === HEADER_BYTES_MAX) throw new GgufProblem(`has a header of more than ${HEADER_BYTES_MAX} bytes`)
    }
  } finally {
    await file.close()
  }
}

function problem(name: string, file: 'missing' | 'damaged', why: string, hint: string, cause?: unknown): AppError {
  return new AppError('model_unavailable', `Cannot load "${name}": ${why}`, { hint, details: { file }, cause })
}
