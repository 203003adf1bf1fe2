export interface Waiting {
  readonly path: string
  readonly state: string
}

/**
 * The position of the step to begin now; null where none can. Files are taken in the order of the plan, the steps of one file
 * one after the other, and no file beside another that it may import or that may import it: each step is judged by tests
 * of a repository in which nothing that it uses is being changed.
 */
export function nextStep(
  steps: readonly Waiting[],
  running: ReadonlySet<string>,
  areNeighbours: (path: string, other: string) => boolean,
): number | null {
  const at = steps.findIndex(
    ({ path, state }) =>
      state === 'planned' && !running.has(path) && ![...running].some((other) => areNeighbours(path, other)),
  )
  return at === -1 ? null : at
}
