/** The lines of the audit log. */
import type { AuditLine } from '../../../core/audit.ts'
import { idPrefixes, idToBytes, largestIdAt, smallestIdAt } from '../../../core/ids.ts'
import {
  type ActionRange,
  type AuditRow,
  actionRangeOf,
  auditColumns,
  type NewAuditLine,
  toAuditLine,
} from '../../audit-line.ts'
import { encodeCursor, readPageRequest, toPage } from '../../cursors.ts'
import { maxLookedAt } from '../../page-reading.ts'
import type { AuditFilter, Page, PageRequest } from '../../port.ts'
import { agedRanges } from '../../retention.ts'
import type { ReadContext } from '../read/context.ts'
import type { WriteContext } from '../threads/write-context.ts'

export function insertAuditLine({ prepare, now, ids }: WriteContext, line: NewAuditLine): void {
  prepare(`insert into audit_log (${auditColumns}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
    idToBytes(ids.next(idPrefixes.auditLine)),
    now,
    line.tenantId === null ? null : idToBytes(line.tenantId),
    line.actor.kind,
    line.actor.id,
    line.action,
    line.objectKind,
    line.objectId,
    line.before === null ? null : JSON.stringify(line.before),
    line.after === null ? null : JSON.stringify(line.after),
  )
}

/**
 * The index of what is rarest is walked down, over as many entries as a page may look at; each of the other filters is
 * held against what it gives.
 */
export function listAuditLines(
  context: ReadContext,
  tenantId: string | null,
  filter: AuditFilter,
  page: PageRequest,
): Page<AuditLine> {
  const { limit, before } = readPageRequest(page)
  const { index, where, values } = walked(tenantId, filter)
  const { low, high } = idsBetween(filter, before)
  const from = `from audit_log indexed by ${index} where ${where} and id >= ? and id < ?`
  const floor = context
    .prepare<Pick<AuditRow, 'id'>>(`select id ${from} order by id desc limit 1 offset ${maxLookedAt}`)
    .get(...values, low, high)
  const others = othersOf(tenantId, filter)
  const rows = context
    .prepare<AuditRow>(`select ${auditColumns} ${from} ${others.where} order by id desc limit ?`)
    .all(...values, floor?.id ?? low, high, ...others.values, limit + 1)
  const found = toPage(rows, limit, toAuditLine)
  // The page that stops there goes on there.
  return found.nextCursor === '' && floor !== undefined
    ? { ...found, nextCursor: encodeCursor(floor.id) }
    : found
}

/** An id may come from a clock that differs from the store's by this much; the exact time is checked besides. */
const idClockSlackMs = 600_000

function idsBetween({ since, until }: AuditFilter, before: Uint8Array | null) {
  const { auditLine } = idPrefixes
  const young =
    until === undefined
      ? new Uint8Array(16).fill(255)
      : idToBytes(largestIdAt(auditLine, until + idClockSlackMs))
  return {
    low:
      since === undefined ? new Uint8Array(16) : idToBytes(smallestIdAt(auditLine, since - idClockSlackMs)),
    high: before === null || Buffer.compare(before, young) > 0 ? young : before,
  }
}

interface Where {
  readonly where: string
  readonly values: readonly (string | number | Uint8Array)[]
}

function walked(
  tenantId: string | null,
  { objectId, actorId }: AuditFilter,
): Where & { readonly index: string } {
  if (objectId !== undefined) {
    return { index: 'audit_log_object', where: 'object_id = ?', values: [objectId] }
  }
  if (actorId !== undefined) return { index: 'audit_log_actor', where: 'actor_id = ?', values: [actorId] }
  if (tenantId !== null) {
    return { index: 'audit_log_tenant', where: 'tenant_id = ?', values: [idToBytes(tenantId)] }
  }
  return { index: 'sqlite_autoindex_audit_log_1', where: 'true', values: [] }
}

function othersOf(tenantId: string | null, filter: AuditFilter): Where {
  const { actorKind, actorId, objectKind, objectId, since, until } = filter
  const range: ActionRange | null = actionRangeOf(filter)
  const given: readonly (readonly [string, string | number | Uint8Array | undefined])[] = [
    ['tenant_id = ?', tenantId === null ? undefined : idToBytes(tenantId)],
    ['object_id = ?', objectId],
    ['object_kind = ?', objectKind],
    ['actor_id = ?', actorId],
    ['actor_kind = ?', actorKind],
    ['action >= ?', range?.from],
    ['action < ?', range?.to],
    ['created_at >= ?', since],
    ['created_at < ?', until],
  ]
  const wanted = given.filter(([, value]) => value !== undefined)
  return {
    where: wanted.map(([condition]) => `and ${condition}`).join(' '),
    values: wanted.map(([, value]) => value as string | number | Uint8Array),
  }
}

export function removeAuditLines(
  { prepare, line, now }: WriteContext,
  { retainMs, limit }: { readonly retainMs: number; readonly limit: number },
): { readonly more: boolean } {
  if (line.unprovenSince !== null) return { more: false }
  const remove = prepare(
    // audit_log_age
    `delete from audit_log where id in
       (select id from audit_log where created_at between ? and ? order by created_at limit ?)`,
  )
  return {
    more: agedRanges(line, retainMs, now).some(
      ({ from, to }) => remove.run(from, to, limit).changes === limit,
    ),
  }
}
