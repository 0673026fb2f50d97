/**
 * The ready rows: which targets have due work, and from when. They may be wrong; `reconcileReady` repairs them. What `next_at` says
 * is the rule of `core/claim/ready-row.ts`; arming is said once more here, in SQL, because it is part of the statement
 * that writes the delivery (`test/store/postgres-ready.test.ts` compares the two).
 */
import { type Context, command, now, run } from '../connection/statement.ts'
import { limitedUntil } from './rate-buckets.ts'

/**
 * SQL: no earlier than this may the target be claimed; in the past: at any time. `endpoint_state` is small. Where it is
 * known which targets have a rate, `isRated` saves the others a look.
 */
export function blockedUntil(target: string, isRated = 'true'): string {
  return `greatest(case when ${isRated} then ${limitedUntil(target)} else 0 end, coalesce(
    (select greatest(s.paused_until, s.probe_until) from endpoint_state s
     where s.target_id = ${target} and s.paused_until is not null), 0))`
}

/**
 * SQL of `armed`: lets the targets of the relation `wanted (target_id, tenant_id, next_at)` be looked at from then on. A row
 * that stands and is early enough is not touched: even an update that changes nothing would lock it, and make
 * publishers wait for claims.
 */
export const armWanted = `
  insert into ready_endpoints as r (target_id, tenant_id, next_at)
  select w.target_id, w.tenant_id, w.next_at from wanted w
  where not exists (
    select from ready_endpoints e where e.target_id = w.target_id and abs(e.next_at) <= greatest(${now}, w.next_at))
  order by w.target_id
  on conflict (target_id) do update set next_at = excluded.next_at
    where abs(r.next_at) > ${now} and abs(excluded.next_at) < abs(r.next_at)`

/** Ids are hexadecimal. */
export interface Arming {
  readonly target: string
  readonly tenant: string
  readonly delayMs: number
}

/** Each from its delay on, or from the end of its pause. */
export async function armReady(context: Context, armings: readonly Arming[]): Promise<void> {
  if (armings.length === 0) return
  await run(context, armStatement, {
    targets: armings.map(({ target }) => target),
    tenants: armings.map(({ tenant }) => tenant),
    delays: armings.map(({ delayMs }) => Math.max(0, Math.round(delayMs))),
  })
}

const armStatement = command(
  'arm_ready',
  { targets: 'uuid[]', tenants: 'uuid[]', delays: 'bigint[]' },
  // primary keys
  `with wanted as materialized (
     select w.target_id, w.tenant_id, greatest(${now} + min(w.delay_ms), ${blockedUntil('w.target_id')}) as next_at
     from unnest($targets, $tenants, $delays) as w (target_id, tenant_id, delay_ms)
     group by w.target_id, w.tenant_id
   )
   ${armWanted}`,
)

/** Moved to when the target has work again, or removed when it has none. */
export async function rearmReady(context: Context, target: string): Promise<void> {
  await run(context, rearmStatement, { target })
}

const rearmStatement = command(
  'rearm_ready',
  { target: 'uuid' },
  // live_deliveries_due
  `with next as materialized (
     select due_at from live_deliveries
     where target_id = $target and due_at is not null and state <> 'in_flight' order by due_at limit 1
   ), gone as (
     delete from ready_endpoints where target_id = $target and not exists (select from next)
   )
   update ready_endpoints r set next_at = greatest(${now}, n.due_at, ${blockedUntil('r.target_id')})
   from next n where r.target_id = $target`,
)

/** The target is paused: claims need not look at it before the end. */
export async function holdReady(context: Context, targets: readonly string[]): Promise<void> {
  if (targets.length > 0) await run(context, holdStatement, { targets })
}

const holdStatement = command(
  'hold_ready',
  { targets: 'uuid[]' },
  `with held as materialized (
     select r.target_id, ${blockedUntil('r.target_id')} as until from ready_endpoints r
     where r.target_id = any ($targets) order by r.target_id for update
   )
   update ready_endpoints r set next_at = h.until from held h
   where r.target_id = h.target_id and r.next_at < h.until`,
)
