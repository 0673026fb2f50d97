import { type IdPrefix, idToBytes, largestIdAt, smallestIdAt } from '../../../core/ids.ts'
import { uuid } from '../rows/wire-types.ts'
import type { Conditions } from './conditions.ts'

/** An id may come from a clock that differs from the store's by this much; the exact time is checked besides. */
const idClockSlackMs = 600_000

interface Times {
  readonly since?: number
  readonly until?: number
}

/** Conditions over the rows `d`: the times. */
export function addTimes(where: Conditions, { since, until }: Times): void {
  if (since !== undefined) where.add('d.created_at >= $since', 'since', 'bigint', Math.ceil(since))
  if (until !== undefined) where.add('d.created_at < $until', 'until', 'bigint', Math.ceil(until))
}

/** SQL: ids that lie in the window, and can be of the times: an index by id need not be read beyond them. */
export const inIdRange = (row: 'd' | 'l'): string => `${row}.id >= $low and ${row}.id < $high`

const lowest = new Uint8Array(16)
const highest = new Uint8Array(16).fill(255)

/** What `inIdRange` compares with. */
export function giveIdRange(
  where: Conditions,
  prefix: IdPrefix,
  {
    times,
    floor,
    before,
  }: { readonly times: Times; readonly floor: Uint8Array | null; readonly before: Uint8Array | null },
): Conditions {
  const { since, until } = idsAt(prefix, times)
  const ends = [until ?? highest, before ?? highest].sort(Buffer.compare)
  return where
    .give('low', 'uuid', uuid(higher(since, floor) ?? lowest))
    .give('high', 'uuid', uuid(ends[0] as Uint8Array))
}

function idsAt(prefix: IdPrefix, { since, until }: Times) {
  return {
    since: since === undefined ? null : idToBytes(smallestIdAt(prefix, since - idClockSlackMs)),
    until: until === undefined ? null : idToBytes(largestIdAt(prefix, until + idClockSlackMs)),
  }
}

/** The higher of two bounds. */
export function higher(one: Uint8Array | null, other: Uint8Array | null): Uint8Array | null {
  if (one === null || other === null) return one ?? other
  return Buffer.compare(one, other) > 0 ? one : other
}
