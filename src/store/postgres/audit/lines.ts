/** The lines of the audit log. */
import type { AuditLine } from '../../../core/audit.ts'
import { idPrefixes } from '../../../core/ids.ts'
import {
  type AuditRow,
  actionRangeOf,
  auditColumns,
  type NewAuditLine,
  toAuditLine,
} from '../../audit-line.ts'
import { readPageRequest } from '../../cursors.ts'
import type { AuditFilter, Page, PageRequest } from '../../port.ts'
import { agedRanges } from '../../retention.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { Conditions } from '../read/conditions.ts'
import { addTimes, giveIdRange, inIdRange } from '../read/time-range.ts'
import { readInWindows, type Window } from '../read/windows.ts'
import { uuidOfId } from '../rows/wire-types.ts'

export async function insertAuditLine(context: Context, line: NewAuditLine): Promise<void> {
  await run(context, insertStatement, {
    id: uuidOfId(context.ids.next(idPrefixes.auditLine)),
    tenant: line.tenantId === null ? null : uuidOfId(line.tenantId),
    actor_kind: line.actor.kind,
    actor_id: line.actor.id,
    action: line.action,
    object_kind: line.objectKind,
    object_id: line.objectId,
    before: line.before === null ? null : JSON.stringify(line.before),
    after: line.after === null ? null : JSON.stringify(line.after),
  })
}

const insertStatement = command(
  'insert_audit_line',
  {
    id: 'uuid',
    tenant: 'uuid',
    actor_kind: 'text',
    actor_id: 'text',
    action: 'text',
    object_kind: 'text',
    object_id: 'text',
    before: 'text',
    after: 'text',
  },
  `insert into audit_log (${auditColumns})
     values ($id, ${now}, $tenant, $actor_kind, $actor_id, $action, $object_kind, $object_id, $before, $after)`,
)

/**
 * The index of what is rarest is walked down, over as many entries as a page may look at; each of the other filters is
 * held against what it gives.
 */
export function listAuditLines(
  context: Context,
  tenantId: string | null,
  filter: AuditFilter,
  page: PageRequest,
): Promise<Page<AuditLine>> {
  const { since, until } = filter
  const times = { ...(since !== undefined && { since }), ...(until !== undefined && { until }) }
  const { where, order } = walked(tenantId, filter)
  const within = (window: Window) => {
    const conditions = new Conditions().give('object', 'text', filter.objectId ?? '')
    conditions.give('actor', 'text', filter.actorId ?? '')
    if (tenantId !== null) conditions.give('tenant', 'uuid', uuidOfId(tenantId))
    return giveIdRange(conditions, idPrefixes.auditLine, { times, ...window })
  }
  const listing = {
    async findFloor(before: Uint8Array | null, most: number) {
      const [row] = await within({ floor: null, before })
        .give('most', 'bigint', most)
        .read<Pick<AuditRow, 'id'>>(
          context,
          `select d.id from audit_log d where ${where} ${order} offset $most limit 1`,
        )
      return row?.id ?? null
    },
    read(window: Window, most: number) {
      const conditions = within(window).give('most', 'bigint', most)
      addFilters(conditions, tenantId, filter)
      addTimes(conditions, times)
      return conditions.read<AuditRow>(
        context,
        `select ${auditColumns} from audit_log d where ${where}${conditions.sql} ${order} limit $most`,
      )
    },
  }
  return readInWindows(readPageRequest(page), listing, toAuditLine)
}

/** Pairs, which only the index of both serves: see `../read/newest.ts`. */
function walked(tenantId: string | null, { objectId, actorId }: AuditFilter) {
  const by = (column: string, value: string) => ({
    where: `(d.${column}, d.id) >= (${value}, $low) and (d.${column}, d.id) < (${value}, $high) and d.${column} is not null`,
    order: `order by d.${column} desc, d.id desc`,
  })
  // audit_log_object, audit_log_actor, audit_log_tenant, primary key
  if (objectId !== undefined) return by('object_id', '$object')
  if (actorId !== undefined) return by('actor_id', '$actor')
  if (tenantId !== null) return by('tenant_id', '$tenant')
  return { where: inIdRange('d'), order: 'order by d.id desc' }
}

function addFilters(conditions: Conditions, tenantId: string | null, filter: AuditFilter): void {
  const { actorKind, actorId, objectKind, objectId } = filter
  const range = actionRangeOf(filter)
  if (tenantId !== null) conditions.literal('d.tenant_id = $tenant')
  if (objectId !== undefined) conditions.literal('d.object_id = $object')
  if (actorId !== undefined) conditions.literal('d.actor_id = $actor')
  conditions
    .add('d.object_kind = $object_kind', 'object_kind', 'text', objectKind)
    .add('d.actor_kind = $actor_kind', 'actor_kind', 'text', actorKind)
    .add('d.action >= $action', 'action', 'text', range?.from)
    .add('d.action < $action_end', 'action_end', 'text', range?.to)
}

export async function removeAuditLines(
  context: Context,
  { retainMs, limit }: { readonly retainMs: number; readonly limit: number },
): Promise<{ readonly more: boolean }> {
  if (context.line.unprovenSince !== null) return { more: false }
  for (const { from, to } of agedRanges(context.line, retainMs, context.moment)) {
    const [row] = await run(context, removeStatement, { from, to: Math.floor(to), limit })
    if (row?.gone === limit) return { more: true }
  }
  return { more: false }
}

const removeStatement = query<{ readonly gone: number }>()(
  'remove_audit_lines',
  { from: 'bigint', to: 'bigint', limit: 'bigint' },
  // audit_log_age, then the primary key; what somebody else removes just now is left to them
  `with gone as (
     delete from audit_log where id = any (array(
       select id from audit_log where created_at between $from and $to
       order by created_at limit $limit for update skip locked))
     returning 1
   )
   select count(*)::integer as gone from gone`,
)
