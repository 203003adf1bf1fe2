import * as v from 'valibot'

/** The `details` of `confirmation_required`: what of the file would no longer be there. */
export const LostContent = v.object({ path: v.string(), sha256: v.string(), line_count: v.number() })
export type LostContent = v.InferOutput<typeof LostContent>
