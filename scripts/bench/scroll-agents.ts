import type { Page } from '@playwright/test'
import * as v from 'valibot'

const Scrolled = v.object({
  /** From one frame to the next, in milliseconds, while the list moved. */
  frames: v.array(v.number()),
  /** The most rows that there were in the document at once. */
  rowsMax: v.number(),
  /** The place in the whole list of the last row that was drawn. */
  last: v.number(),
})
export type Scrolled = v.InferOutput<typeof Scrolled>

/**
 * Scrolls the list of agents from its head to its end by `step` pixels in each frame (500 is what a hand does on a trackpad), and
 * waits at the end of what is there for more. Rejects where nothing more comes for 20 seconds.
 */
export async function scrollAgents(page: Page, total: number, step = 500): Promise<Scrolled> {
  return v.parse(Scrolled, await page.evaluate(`(${inPage})(${total}, ${step})`))
}

/** Text, since it runs in the page: the program around it knows no document. */
const inPage = `async (total, step) => {
  const scroller = document.querySelector('.agent-scroller')
  const frames = []
  let rowsMax = 0, last = 0, moved = performance.now(), before = moved
  const nextFrame = () => new Promise((resolve) => requestAnimationFrame(() => resolve(performance.now())))
  while (last < total) {
    const top = scroller.scrollTop
    scroller.scrollTop = top + step
    const now = await nextFrame()
    frames.push(now - before)
    before = now
    const rows = scroller.querySelectorAll('[aria-posinset]')
    rowsMax = Math.max(rowsMax, rows.length)
    const at = Number(rows[rows.length - 1]?.getAttribute('aria-posinset') ?? 0)
    if (at > last || scroller.scrollTop > top) moved = now
    last = Math.max(last, at)
    if (now - moved > 20000) throw new Error('The list does not go on behind row ' + last)
  }
  return { frames, rowsMax, last }
}`
