/** Deliveries that are sent again: one that blocks its line is its head again, any other goes to the end. */
import type { Context } from '../connection/statement.ts'
import { firstPlace, JoinedLines, type LineKey } from './joined-lines.ts'
import { type LineChange, type Place, settleLines, unchanged } from './lines.ts'

export interface Returning {
  /** Hexadecimal. */
  readonly id: string
  readonly tenant: string
  readonly subscription: string | null
  /** Null: it stands in no line. */
  readonly orderingKey: string | null
}

export interface Returned<Row> {
  readonly places: ReadonlyMap<Row, Place>
  /** After they were inserted. */
  settle(): Promise<void>
}

export async function returnToLines<Row extends Returning>(
  context: Context,
  rows: readonly Row[],
): Promise<Returned<Row>> {
  const keys = new Map(rows.flatMap((row) => keyOf(row)))
  const lines = await JoinedLines.lock(context, Array.from(keys.values()))
  const changes: LineChange[] = []
  const places = new Map<Row, Place>()
  for (const [row, key] of keys) {
    const { line, head, isBlocked } = lines.get(key)
    if (isBlocked && head === row.id) {
      places.set(row, { line, place: firstPlace, isBehind: false })
      changes.push({ ...unchanged, line, isUnblocked: true })
    } else {
      const place = lines.take(key)
      places.set(row, place)
      changes.push({ ...unchanged, line, delta: 1, lastPlace: place.place })
    }
  }
  return {
    places,
    settle: async () => {
      await settleLines(context, changes)
    },
  }
}

function keyOf<Row extends Returning>(row: Row): readonly (readonly [Row, LineKey])[] {
  const { tenant, subscription, orderingKey } = row
  return subscription === null || orderingKey === null ? [] : [[row, { tenant, subscription, orderingKey }]]
}
