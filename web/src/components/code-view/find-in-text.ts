import { type EditorState, StateEffect, StateField } from '@codemirror/state'
import { Decoration, type DecorationSet, EditorView } from '@codemirror/view'

/** More hits than this are not marked: a letter in a long file would be everywhere. */
const HITS_MAX = 2000

/** Looks for this text from now on; the empty one for nothing. */
export const findText = StateEffect.define<string>()

const mark = Decoration.mark({ class: 'cm-found' })

interface Found {
  readonly wanted: string
  readonly marks: DecorationSet
}

const hits = StateField.define<Found>({
  create: () => ({ wanted: '', marks: Decoration.none }),
  update(found, { effects, docChanged, state }) {
    const wanted = effects.findLast((effect) => effect.is(findText))?.value ?? found.wanted
    if (wanted === found.wanted && !docChanged) return found
    return { wanted, marks: markHits(placesOf(textOf(state), wanted), wanted) }
  },
  provide: (field) => EditorView.decorations.from(field, ({ marks }) => marks),
})

export const finding = [hits]

/** Where the text stands, whatever the case of its letters: at most HITS_MAX places, in order and without overlaps. */
export function placesOf(text: string, wanted: string): number[] {
  const places: number[] = []
  if (wanted === '') return places
  const [within, what] = [text.toLowerCase(), wanted.toLowerCase()]
  // A letter whose small form is longer would shift all places behind it.
  const [haystack, needle] = within.length === text.length ? [within, what] : [text, wanted]
  for (let at = haystack.indexOf(needle); at >= 0 && places.length < HITS_MAX; ) {
    places.push(at)
    at = haystack.indexOf(needle, at + needle.length)
  }
  return places
}

const markHits = (places: readonly number[], wanted: string): DecorationSet =>
  Decoration.set(places.map((from) => mark.range(from, from + wanted.length)))

/** How often what is looked for stands in the text as it is now. */
export const countHits = ({ state }: EditorView): number => state.field(hits).marks.size

export interface Hit {
  readonly index: number
  readonly count: number
}

/** Goes to the next hit behind the selection (or the one before it), around the end; null where there is none. */
export function goToHit(view: EditorView, wanted: string, direction: 1 | -1): Hit | null {
  const places = placesOf(textOf(view.state), wanted)
  if (places.length === 0) return null
  const { from, empty } = view.state.selection.main
  const behind = places.findIndex((place) => (empty ? place >= from : place > from))
  const before = places.findLastIndex((place) => place < from)
  const next = direction === 1 ? Math.max(behind, 0) : before < 0 ? places.length - 1 : before
  const place = places[next] ?? 0
  const selection = { anchor: place, head: place + wanted.length }
  view.dispatch({ selection, effects: EditorView.scrollIntoView(place, { y: 'center' }) })
  return { index: next, count: places.length }
}

const textOf = (state: EditorState): string => state.doc.toString()
