/** From a template and a delivery to text of at most so many characters: what is too long is cut where it stands. */
import { countCodePoints, cutCodePoints } from '../../core/code-points.ts'
import { findValueAt } from '../../core/json-value-at.ts'
import type { ClaimedDelivery } from '../../store/port.ts'
import type { Placeholder, Template } from './template.ts'

export type Filling = Pick<ClaimedDelivery, 'id' | 'eventId' | 'topic' | 'metadata' | 'payload'>

export interface FillRules {
  /** In code points. */
  readonly maxChars: number
  /** Of values, which are not the template's author's: what would mean something to the receiver. */
  readonly escapeValue?: (value: string) => string
  /** Mends what a cut has split, such as an escape. */
  readonly mendCut?: (cut: string) => string
}

interface Piece {
  readonly text: string
  readonly isValue: boolean
}

/** What the template says itself is kept as long as possible; the longest values are cut first, with an ellipsis. */
export function fillTemplate(
  template: Template,
  filling: Filling,
  { maxChars, escapeValue = (value) => value, mendCut = (cut) => cut }: FillRules,
): string {
  const pieces = template.map((part): Piece => {
    if (typeof part === 'string') return { text: part, isValue: false }
    const value = readValue(part, filling)
    if (value !== null) return { text: escapeValue(withoutControls(value)), isValue: true }
    return { text: part.fallback ?? escapeValue(part.text), isValue: false }
  })
  const fitted = fitPieces(pieces, maxChars, mendCut)
  return mendCut(cutCodePoints(fitted.map(({ text }) => text).join(''), maxChars))
}

function fitPieces(pieces: Piece[], maxChars: number, mendCut: (cut: string) => string): readonly Piece[] {
  const lengths = pieces.map(({ text }) => countCodePoints(text))
  let over = lengths.reduce((sum, length) => sum + length, 0) - maxChars
  while (over > 0) {
    const values = lengths.map((length, index) => (pieces[index]?.isValue ? length : 0))
    const longest = values.indexOf(Math.max(...values))
    const length = lengths[longest] ?? 0
    // One is the ellipsis itself.
    if (length <= 1 || !pieces[longest]?.isValue) return pieces
    const kept = Math.max(1, length - over)
    const text = mendCut(cutCodePoints(pieces[longest].text, kept))
    pieces[longest] = { text, isValue: true }
    lengths[longest] = countCodePoints(text)
    over -= length - (lengths[longest] ?? 0)
  }
  return pieces
}

/** Null: there is none. Text is shown as it is, anything else as its JSON. */
function readValue({ name, path, fallback }: Placeholder, filling: Filling): string | null {
  switch (name) {
    case 'topic':
      return filling.topic
    case 'id':
      return filling.eventId
    case 'delivery_id':
      return filling.id
    case 'metadata':
      return filling.metadata !== null && Object.hasOwn(filling.metadata, String(path[0]))
        ? (filling.metadata[String(path[0])] ?? null)
        : null
    case 'payload': {
      const found = findValueAt(filling.payload, path)
      if (found === null || found.length === 0) return null
      const json = Buffer.from(found.buffer, found.byteOffset, found.byteLength).toString('utf8')
      // Who has said what to show where there is nothing means null too.
      if (json === 'null' && fallback !== null) return null
      return json.startsWith('"') ? String(JSON.parse(json)) : json
    }
  }
}

/** Receivers refuse these, or take them out. Line ends and tabs are text. */
function withoutControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return text.toWellFormed().replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g, '\ufffd')
}
