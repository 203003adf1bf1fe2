import { randomBytes } from 'node:crypto'

const tempFile = /^\.millwright-[0-9a-f]{16}\.tmp$/iu

/** A fresh name for the file that is renamed over the real one. Hidden from lists, refused to callers, swept at start. */
export const createTempFileName = (): string => `.millwright-${randomBytes(8).toString('hex')}.tmp`

/** True for a name that `createTempFileName` makes. */
export const isTempFileName = (name: string): boolean => tempFile.test(name)
