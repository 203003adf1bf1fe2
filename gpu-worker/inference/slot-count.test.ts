import { describe, expect, it } from 'vitest'
import { chooseSlotCount } from './slot-count.ts'

const GIGA = 1e9

describe('the number of slots', () => {
  const choose = (options: { contextTokens?: number; gpuFree?: number; mainFree?: number; perSlot: number }) =>
    chooseSlotCount({
      contextTokens: options.contextTokens ?? 16_384,
      free: { gpu: options.gpuFree ?? 0, main: options.mainFree ?? 0 },
      estimate: async (slots) =>
        options.gpuFree === undefined
          ? { gpu: 0, main: slots * options.perSlot }
          : { gpu: slots * options.perSlot, main: 0 },
    })

  it('is four where they fit into the memory of the GPU, or into half of the machine’s', async () => {
    expect(await choose({ gpuFree: 5 * GIGA, perSlot: GIGA })).toBe(4)
    expect(await choose({ mainFree: 8 * GIGA, perSlot: GIGA })).toBe(4)
  })

  it('is what fits otherwise, and at least one', async () => {
    expect(await choose({ gpuFree: 3 * GIGA, perSlot: GIGA })).toBe(2)
    expect(await choose({ mainFree: 7 * GIGA, perSlot: GIGA })).toBe(3)
    expect(await choose({ mainFree: 0.5 * GIGA, perSlot: GIGA })).toBe(1)
  })

  it('is one for a very small context', async () => {
    expect(await choose({ contextTokens: 512, mainFree: 100 * GIGA, perSlot: 1 })).toBe(1)
  })
})
