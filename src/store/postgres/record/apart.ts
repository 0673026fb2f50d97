/** What is left to do when somebody else's lock keeps a whole batch waiting: each target by itself. */
import { OuthookError } from '../../../core/errors.ts'
import type { Ended, LeaseKey, Leases } from '../claim/leases.ts'
import type { Context } from '../connection/statement.ts'
import { isLockTimeout } from '../connection/store-error.ts'
import { findLeases } from './find-leases.ts'

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

export interface Apartness {
  readonly atomic: Atomic
  readonly leases: Leases
}

export async function eachTargetApart<T>(
  { atomic, leases }: Apartness,
  keys: readonly LeaseKey[],
  work: (context: Context, indexes: readonly number[]) => Promise<Ended<T>>,
): Promise<Apart<T>> {
  const known = await atomic((context) => findLeases(context, leases, keys))
  const indexes = keys.map((_, index) => index)
  const groups = Map.groupBy(indexes, (index) => known.get(keys[index] as LeaseKey)?.target)
  groups.delete(undefined)
  const done: [readonly number[], T][] = []
  const held: number[] = []
  for (const group of groups.values()) {
    try {
      const result = await atomic(async (context) => {
        await context.query(null, `set local lock_timeout = ${lockTimeoutMs}`, [])
        return work(context, group)
      })
      done.push([group, leases.conclude(result)])
    } catch (error) {
      if (!waitedInVain(error)) throw error
      held.push(...group)
    }
  }
  return { done, held }
}
