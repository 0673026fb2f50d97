/**
 * The removal of a deleted tenant, in slices, the same on both stores: first its endpoints are deleted and what waits for
 * them is cancelled, then what was leased meanwhile is waited for, and then its rows go, table by table. How far it has got
 * stands in the tenant's row, so that whoever comes next goes on.
 */
import {
  nothingRemovedOfTenant,
  type RemovalPhase,
  type RemovedOfTenant,
  type TenantRemovalProgress,
} from '../core/tenant.ts'

export interface RemovalState extends RemovedOfTenant {
  /** By then all was cancelled that waited; null: not yet. */
  readonly appliedAt: number | null
  /** What was leased before is over, and nothing can come any more. */
  readonly isQuiet: boolean
  /** What there was when nothing could come any more, what had been removed by then included; null: it is not counted. */
  readonly total: RemovedOfTenant | null
  /** While they are counted. */
  readonly counting: RowCount | null
}

/** Events are counted in slices, in the order of their topics and keys, those without a topic first. */
export interface RowCount extends RemovedOfTenant {
  /** Of the last event that was counted, in the form of the store; `topic` null: among those without one. */
  readonly topic: string | number | null
  readonly key: string | number
}

/** What one step did; null: there was nothing for it to do. */
export type RemovalStep = Partial<RemovalState> | null

/** A claim or a publish that began before this is over by then. */
const settledMs = 2000

export function readRemoval(json: string | null): RemovalState {
  return {
    ...nothingRemovedOfTenant,
    appliedAt: null,
    isQuiet: false,
    total: null,
    counting: null,
    ...JSON.parse(json ?? '{}'),
  }
}

export function toProgress(state: RemovalState, startedAt: number): TenantRemovalProgress {
  const { total } = state
  const left = total && {
    endpoints: Math.max(0, total.endpoints - state.endpoints),
    events: Math.max(0, total.events - state.events),
    deliveries: Math.max(0, total.deliveries - state.deliveries),
  }
  return { phase: phaseOf(state), startedAt, left }
}

function phaseOf({ appliedAt, isQuiet, total }: RemovalState): RemovalPhase {
  if (appliedAt === null) return 'cancelling'
  if (!isQuiet) return 'draining'
  return total === null ? 'counting' : 'removing'
}

/** Index entries that one slice counts, for each row that one removes. */
export const countedPerRow = 20

/** The events that one slice has counted. */
export interface CountedEvents extends Pick<RowCount, 'topic' | 'key'> {
  readonly events: number
  /** There are no more with a topic, or none without one. */
  readonly isEnd: boolean
}

/** @param first stands before every event with a topic */
export function advanceCount(
  state: RemovalState,
  { events, topic, key, isEnd }: CountedEvents,
  first: Pick<RowCount, 'topic' | 'key'>,
): Partial<RemovalState> {
  const counting = state.counting as RowCount
  const counted = { ...counting, events: counting.events + events }
  if (!isEnd) return { counting: { ...counted, topic, key } }
  if (counting.topic === null) return { counting: { ...counted, ...first } }
  const total = {
    endpoints: state.endpoints + counted.endpoints,
    events: state.events + counted.events,
    deliveries: state.deliveries + counted.deliveries,
  }
  return { counting: null, total }
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
