import { type IdPrefix, idToBytes, largestIdAt, smallestIdAt } from '../../../core/ids.ts'
import { uuid } from '../rows/wire-types.ts'
import type { Conditions } from './conditions.ts'

/** An id may come from a clock that differs from the store's by this much; the exact time is checked besides. */
const idClockSlackMs = 600_000

interface Times {
  readonly since?: number
  readonly until?: number
}

/** Conditions over the rows `d`: the times, and ids so that an index by id need not be read beyond them. */
export function addTimes(where: Conditions, prefix: IdPrefix, { since, until }: Times): void {
  if (since !== undefined) {
    where.add('d.created_at >= $since', 'since', 'bigint', Math.ceil(since))
    where.add(
      'd.id >= $since_id',
      'since_id',
      'uuid',
      uuid(idToBytes(smallestIdAt(prefix, since - idClockSlackMs))),
    )
  }
  if (until !== undefined) {
    where.add('d.created_at < $until', 'until', 'bigint', Math.ceil(until))
    where.add(
      'd.id < $until_id',
      'until_id',
      'uuid',
      uuid(idToBytes(largestIdAt(prefix, until + idClockSlackMs))),
    )
  }
}
