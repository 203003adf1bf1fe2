/**
 * Threads for inference on the CPU. llama.cpp's threads wait for each other by spinning, so one thread too many on a
 * busy machine costs far more than one too few: two threads on two busy cores ran 40 to 130 times slower than one.
 *
 * `load` is the machine's load average of the last minute: cores that are in use anyway. One core is left to the rest.
 */
export function chooseThreads(machine: { mathCores: number; logicalCores: number; load: number }): number {
  const free = Math.floor(machine.logicalCores - machine.load) - 1
  return Math.max(1, Math.min(machine.mathCores, free))
}
