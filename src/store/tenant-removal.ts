/**
 * The removal of a deleted tenant, in slices, the same on both stores: first its endpoints are deleted and what waits for
 * them is cancelled, then what was leased meanwhile is waited for, and then its rows go, table by table. How far it has got
 * stands in the tenant's row, so that whoever comes next goes on.
 */
import { nothingRemovedOfTenant, type RemovedOfTenant } from '../core/tenant.ts'

export interface RemovalState extends RemovedOfTenant {
  /** By then all was cancelled that waited; null: not yet. */
  readonly appliedAt: number | null
  /** What was leased before is over, and nothing can come any more. */
  readonly isQuiet: boolean
}

/** What one step did; null: there was nothing for it to do. */
export type RemovalStep = Partial<RemovalState> | null

/** A claim or a publish that began before this is over by then. */
const settledMs = 2000

export function readRemoval(json: string | null): RemovalState {
  return { ...nothingRemovedOfTenant, appliedAt: null, isQuiet: false, ...JSON.parse(json ?? '{}') }
}

/** After a step: counts add up. */
export function advanceRemoval(state: RemovalState, step: Partial<RemovalState>): RemovalState {
  return {
    ...state,
    ...step,
    endpoints: state.endpoints + (step.endpoints ?? 0),
    events: state.events + (step.events ?? 0),
    deliveries: state.deliveries + (step.deliveries ?? 0),
  }
}

/**
 * Whether nothing of the tenant can be leased any more.
 *
 * @param oldestGrantAt when the oldest lease of the whole store was granted; null: there is none
 */
export function isQuietSince(appliedAt: number, now: number, oldestGrantAt: number | null): boolean {
  const settledAt = appliedAt + settledMs
  return now > settledAt && (oldestGrantAt === null || oldestGrantAt > settledAt)
}
