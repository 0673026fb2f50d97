/** Tokens of targets whose endpoint has a rate: spent from memory, written once per call that spent some. */
import { changeRate, fullBucket, spendTokens, tokensAt } from '../../../core/rate-limit.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { armReady } from './ready-endpoints.ts'

/** Null: its endpoint has no rate. */
function rateOf(context: WriteContext, targetId: string): number | null {
  return context.memory.endpoint(targetId)?.rateLimitRps ?? null
}

/** Requests that the target's rate allows now; infinity without one. */
export function countTokens(context: WriteContext, targetId: string): number {
  const rps = rateOf(context, targetId)
  return rps === null ? Number.POSITIVE_INFINITY : tokensAt(context.memory.bucket(targetId), rps, context.now)
}

/** Whoever spends calls `writeBucket` before the transaction ends. A negative count gives some back. */
export function spend(context: WriteContext, targetId: string, count: number): void {
  const { memory, now } = context
  const rps = rateOf(context, targetId)
  if (rps !== null) memory.setBucket(targetId, spendTokens(memory.bucket(targetId), rps, { count, now }))
}

/** Nothing happens for a target without a rate. */
export function writeBucket(context: WriteContext, targetId: string): void {
  if (rateOf(context, targetId) === null) return
  const { fullAt, limitedUntil } = context.memory.bucket(targetId)
  context
    .prepare('insert or replace into endpoint_shares (target_id, full_at, limited_until) values (?, ?, ?)')
    .run(context.memory.bytes(targetId), fullAt, limitedUntil)
}

export interface RateChange {
  readonly tenantId: string
  readonly from: number | null
  readonly to: number | null
}

/** The endpoint's row has the new rate. What waits for a token of the old one is looked at as the new one allows. */
export function replaceRate(
  context: WriteContext,
  targetId: string,
  { tenantId, from, to }: RateChange,
): void {
  const { memory, now } = context
  if (to === null) forgetBucket(context, targetId)
  else {
    const bucket = memory.bucket(targetId)
    memory.setBucket(targetId, from === null ? fullBucket : changeRate(bucket, { from, to }, now))
    writeBucket(context, targetId)
  }
  moveReadyUp(context, tenantId, targetId)
}

export function forgetBucket(context: WriteContext, targetId: string): void {
  context.memory.setBucket(targetId, null)
  context.prepare('delete from endpoint_shares where target_id = ?').run(context.memory.bytes(targetId))
}

function moveReadyUp(context: WriteContext, tenantId: string, targetId: string): void {
  const waiting = context
    .prepare('select 1 from ready_endpoints where target_id = ? and abs(next_at) > ?') // primary key
    .get(context.memory.bytes(targetId), context.now)
  if (waiting !== undefined) armReady(context, context.memory.bytes(tenantId), targetId, context.now)
}
