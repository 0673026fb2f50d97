/** What is left to do when somebody else's lock keeps a whole batch waiting: each target by itself. */
import { OuthookError } from '../../../core/errors.ts'
import type { Context } from '../connection/context.ts'
import { isLockTimeout } from '../connection/store-error.ts'
import { type LeaseKey, leaseName, readLeased } from './leased.ts'

/** Of a target that something holds: the others of the batch are waiting. */
const lockTimeoutMs = 20

/** Runs the work in a transaction of its own. */
export type Atomic = <T>(work: (context: Context) => Promise<T>) => Promise<T>

export interface Apart<T> {
  /** Indexes of the leases that a result is for. */
  readonly done: readonly (readonly [indexes: readonly number[], result: T])[]
  /** Indexes of the leases of targets of which something is locked. What is stale is in neither list. */
  readonly held: readonly number[]
}

/** A lock of somebody else's lasted for longer than the lane waits for one. */
export function waitedInVain(error: unknown): boolean {
  return error instanceof OuthookError && isLockTimeout(error.cause)
}

export async function eachTargetApart<T>(
  atomic: Atomic,
  leases: readonly LeaseKey[],
  work: (context: Context, indexes: readonly number[]) => Promise<T>,
): Promise<Apart<T>> {
  const { rows } = await atomic((context) => readLeased(context, leases))
  const targets = new Map(rows.map((row) => [leaseName(row), row.targetId]))
  const indexes = leases.map((_, index) => index)
  const groups = Map.groupBy(indexes, (index) => targets.get(leaseName(leases[index] as LeaseKey)))
  groups.delete(undefined)
  const done: [readonly number[], T][] = []
  const held: number[] = []
  for (const group of groups.values()) {
    try {
      const result = await atomic(async (context) => {
        await context.query(null, `set local lock_timeout = ${lockTimeoutMs}`, [])
        return work(context, group)
      })
      done.push([group, result])
    } catch (error) {
      if (!waitedInVain(error)) throw error
      held.push(...group)
    }
  }
  return { done, held }
}
