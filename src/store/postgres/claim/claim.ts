/**
 * Claims due deliveries: reads, locks and writes what `core/claim` says. The cost follows the rows claimed and the
 * targets looked at, never the backlog.
 *
 * Whoever holds a target's ready row is the only one who claims of it. Rows of it that somebody else has locked
 * (an outcome that comes in after its lease ended) are passed over, so a claim waits for nobody.
 */
import { type Ask, ClaimBatch } from '../../../core/claim/claim-batch.ts'
import { fateOf } from '../../../core/claim/row-fate.ts'
import type { ClaimRequest, ClaimResult } from '../../port.ts'
import type { Context } from '../connection/statement.ts'
import { lockDisabled } from '../record/endpoint-locks.ts'
import { cancelDeliveries, giveUpWithoutPayload } from '../record/finish.ts'
import { type LockedRow, parkDeliveries } from '../record/wait.ts'
import { optionalUuid } from '../rows/wire-types.ts'
import { type Candidate, type Claimant, type LockedTarget, pickCandidates } from './candidates.ts'
import { type DueRow, readDue } from './due-rows.ts'
import { leaseRows, type Taken } from './lease-rows.ts'
import { type Lease, newBatch } from './leases.ts'
import { isLater, moveMark, type Position } from './low-water-marks.ts'
import { type Spending, writeSpent } from './rate-buckets.ts'
import { decideReady, type LookedAt, writeReady } from './ready-after-look.ts'
import { renewNode } from './shares.ts'

/** How far a claim got with one target. */
interface Progress {
  /** The last delivery that was read: the next look goes on behind it, though it is still due. */
  reached: Position
  readonly rows: DueRow[]
  /** The rows that were cancelled or parked. */
  readonly disposed: Set<DueRow>
  /** More is due behind what was reached. */
  hasMore: boolean
}

type ProgressOf = Map<Candidate, Progress>

/** With the leases that this process holds once it is committed. */
export interface Claimed {
  readonly result: ClaimResult
  readonly granted: readonly Lease[]
}

/** Its statements are all under way, and one that the server fails fails the transaction. */
export interface Claiming {
  readonly claimed: Promise<Claimed>
}

/**
 * In a transaction. Statements that need no answer of the one before are sent at once, and the commit right behind them,
 * so that a claim of a backlog waits for the server three times.
 */
export async function claim(context: Context, request: ClaimRequest, claimant: Claimant): Promise<Claiming> {
  if (!claimant.node.isRenewed) {
    await renewNode(context, claimant.node, { usableMs: request.leaseMs, openMs: 0 })
  }
  const { limit, startable = limit, maxBytes } = request
  if (limit <= 0) return claimNothing(context)
  const { open, blocked, waiting, shares } = await pickCandidates(context, request, claimant)
  const fairness = { credits: claimant.rotation.credits, waiting }
  const batch = new ClaimBatch<Candidate, DueRow>(open, { limit, startable, maxBytes }, fairness)
  const progress: ProgressOf = new Map()
  for (let asks = batch.nextLook(); asks.length > 0; asks = batch.nextLook()) {
    await look(context, { asks, batch, progress })
  }
  const taken = batch.grants()
  const given = countGiven(taken)
  const until = context.moment + Math.round(request.leaseMs)
  const leasing = underWay(leaseRows(context, taken, { batch: newBatch(), node: claimant.node, until }))
  const spending = underWay(writeSpent(context, spendingsOf(given)))
  const looked = lookedAt({ batch, progress, taken, given }, { claimant, until })
  const decided = await decideReady(context, [...looked, ...blocked.map((each) => heldBack(each, claimant))])
  const writing = writeReady(context, decided)
  const versions = taken.map(({ row, target }) => [target.tenantId, row.columns.routing_version] as const)
  const claimed = Promise.all([leasing, spending, writing]).then(
    ([{ deliveries, granted }, , nextDueMs]) => ({
      result: { deliveries, nextDueMs, cluster: { shares, routingVersions: new Map(versions) } },
      granted,
    }),
  )
  return { claimed: underWay(claimed) }
}

/** Whoever waits for the transaction hears of its failure. */
function underWay<T>(answer: Promise<T>): Promise<T> {
  answer.catch(() => {})
  return answer
}

async function claimNothing(context: Context): Promise<Claiming> {
  const nextDueMs = await writeReady(context, await decideReady(context, []))
  const cluster = { shares: new Map(), routingVersions: new Map() }
  return { claimed: Promise.resolve({ result: { deliveries: [], nextDueMs, cluster }, granted: [] }) }
}

function spendingsOf(given: ReadonlyMap<Candidate, number>): readonly Spending[] {
  return Array.from(given).flatMap(([{ target, rate }, count]) =>
    rate === null ? [] : [{ target, ...rate, count }],
  )
}

function countGiven(taken: readonly Taken[]): ReadonlyMap<Candidate, number> {
  const given = new Map<Candidate, number>()
  for (const { target } of taken) given.set(target, (given.get(target) ?? 0) + 1)
  return given
}

interface Dealt {
  readonly batch: ClaimBatch<Candidate, DueRow>
  readonly progress: ProgressOf
  readonly taken: readonly Taken[]
  readonly given: ReadonlyMap<Candidate, number>
}

interface Terms {
  readonly claimant: Claimant
  /** When the new leases end. */
  readonly until: number
}

/** The targets that had their turn, as their ready rows are to be decided on. */
function lookedAt({ batch, progress, taken, given }: Dealt, { claimant, until }: Terms): readonly LookedAt[] {
  const leasedRows = new Set(taken.map(({ row }) => row))
  return batch.looked().map((candidate) => {
    const count = given.get(candidate) ?? 0
    const known = progress.get(candidate)
    const ends = endsOf(known, leasedRows)
    const reached = moveMark(claimant.marks, { ...candidate, ...ends, given: count })
    const gave = count > 0
    return {
      ...candidate,
      gave,
      isKnownDue: known?.hasMore === true || ends.left !== null,
      // After one that gave, the next look comes soon, and finds what others have locked now.
      leftFrom: gave ? reached : candidate.start.from,
      leaseEnd: claimant.leases.earliestEnd(candidate.target) ?? (gave ? until : null),
    }
  })
}

function heldBack(blocked: LockedTarget, { leases }: Claimant): LookedAt {
  return {
    ...blocked,
    gave: false,
    isRated: true,
    isProbe: false,
    isKnownDue: false,
    leftFrom: blocked.start.from,
    leaseEnd: leases.earliestEnd(blocked.target),
  }
}

interface Ends {
  /** The last delivery that was dealt with. */
  readonly passed: Position | null
  /** The first one that was seen and left as it was. */
  readonly left: Position | null
}

function endsOf(progress: Progress | undefined, leasedRows: ReadonlySet<DueRow>): Ends {
  let passed: Position | null = null
  let left: Position | null = null
  for (const row of progress?.rows ?? []) {
    if (leasedRows.has(row) || progress?.disposed.has(row))
      passed = passed === null ? row.at : laterOf(passed, row.at)
    else if (left === null || isLater(left, row.at)) left = row.at
  }
  return { passed, left }
}

interface Looking {
  readonly asks: readonly Ask<Candidate>[]
  readonly batch: ClaimBatch<Candidate, DueRow>
  readonly progress: ProgressOf
}

async function look(context: Context, { asks, batch, progress }: Looking): Promise<void> {
  const after = asks.map(({ target }) => progress.get(target)?.reached ?? target.start.from)
  const rows = await readDue(
    context,
    asks.map(({ target, count }, index) => ({
      target: target.target,
      count,
      after: after[index] as Position,
    })),
  )
  const disposed = await disposeOf(context, rows)
  const ofAsk = Map.groupBy(rows, ({ columns }) => columns.ask)
  asks.forEach((ask, index) => {
    const found = ofAsk.get(index) ?? []
    const known = progress.get(ask.target) ?? {
      reached: after[index] as Position,
      rows: [],
      disposed: new Set(),
      hasMore: false,
    }
    progress.set(ask.target, known)
    known.hasMore = found.at(-1)?.columns.has_more === true
    known.rows.push(...found)
    for (const row of found) {
      known.reached = laterOf(known.reached, row.at)
      if (disposed.has(row)) known.disposed.add(row)
    }
    // One whose endpoint was enabled in this very moment is left for the next claim.
    const leasable = found.filter(
      (row) => fateOfRow(row).kind === 'lease' && row.columns.payload_bytes !== null,
    )
    batch.add(ask, {
      leasable: leasable.map((row) => ({ row, bytes: row.columns.payload_bytes ?? 0 })),
      others: found.length - leasable.length,
    })
  })
}

function fateOfRow({ columns }: DueRow) {
  return fateOf({ isDeleted: columns.is_deleted, isDisabled: columns.is_disabled })
}

/** Rows that nobody may attempt any more leave the claim index here. */
async function disposeOf(context: Context, rows: readonly DueRow[]): Promise<ReadonlySet<DueRow>> {
  const ofFate = Map.groupBy(rows, (row) => fateOfRow(row).kind)
  const cancelled = ofFate.get('cancel') ?? []
  const parkable = ofFate.get('park') ?? []
  const disabled = await lockDisabled(
    context,
    parkable.flatMap((row) => endpointOf(row) ?? []),
  )
  const parked = parkable.filter((row) => disabled.has(endpointOf(row) ?? ''))
  const bare = (ofFate.get('lease') ?? []).filter(({ columns }) => columns.payload_bytes === null)
  const gone = await cancelDeliveries(context, cancelled.map(lockedOf))
  const givenUp = await giveUpWithoutPayload(context, bare.map(lockedOf))
  await parkDeliveries(context, parked.map(lockedOf), 'endpoint_disabled')
  const finished = [...cancelled, ...bare].filter(
    ({ locked }) => gone.ids.has(locked.id) || givenUp.ids.has(locked.id),
  )
  return new Set([...finished, ...parked])
}

function endpointOf({ columns }: DueRow): string | null {
  return optionalUuid(columns.endpoint_id)
}

function lockedOf({ locked }: DueRow): LockedRow {
  return locked
}

function laterOf(a: Position, b: Position): Position {
  return isLater(b, a) ? b : a
}
