const GIB = 2 ** 30
/** Some 35 agents of a 7B model with 4,096 tokens each. */
const BYTES_MAX = 8 * GIB
const DISK_SHARE = 0.1
/** What was written lately stays in memory while there is some to spare, and is then read from there. */
const MEMORY_SHARE = 0.5
/** Less than this holds no state of a model of use. */
const BYTES_MIN = 256 * 1024 * 1024

/**
 * Bytes of state files that all models of a worker may keep together, where nobody said how many; 0 keeps none. Both
 * arguments in bytes: what is free on the disk of the data folder, and the memory of the machine.
 */
export function chooseStateBytes({ diskFree, memory }: { diskFree: number; memory: number }): number {
  const bytes = Math.floor(Math.min(BYTES_MAX, diskFree * DISK_SHARE, memory * MEMORY_SHARE))
  return bytes < BYTES_MIN ? 0 : bytes
}
