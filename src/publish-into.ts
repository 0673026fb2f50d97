/** Publishing inside a transaction on a program's own SQLite file. */

import { createSystemClock } from './core/clock.ts'
import { OuthookError } from './core/errors.ts'
import { createIdFactory } from './core/ids.ts'
import { defaultTenantId } from './core/model.ts'
import { tellOfOutbox } from './core/outbox-news.ts'
import { checkText } from './core/text.ts'
import { checkRequest } from './engine/publish-request.ts'
import { invalid, type PublishInput, toRequest } from './publish-input.ts'
import {
  addTraceColumnsSql,
  insertOutboxRow,
  type NewOutboxRow,
  outboxTable,
  type SqliteDatabase,
  traceColumns,
} from './store/sqlite/outbox/outbox-table.ts'

export interface PublishIntoOptions {
  /** Whose event it is: the id or uid of a tenant. Default: the tenant `default`. */
  readonly tenant?: string
}

const clock = createSystemClock()
const ids = createIdFactory(clock.now)

/**
 * Publishes inside the transaction that is open on `db`, a SQLite file with the table of `outboxSql()`: the event exists
 * if and when that transaction commits. A process that was opened with that file in `outboxes` then publishes it, within a
 * second. Without an open transaction it is one of its own. Returns the event's id.
 *
 * Errors: as of `publish` for what is wrong with the event; invalid_request where the table is missing; the driver's own
 * come through as they are. All leave the transaction usable.
 *
 * @example
 * db.exec('begin immediate')
 * db.prepare('insert into orders (id) values (?)').run('o_1')
 * publishInto(db, { topic: 'orders.created', payload: { id: 'o_1' } })
 * db.exec('commit')
 */
// biome-ignore lint/suspicious/noExplicitAny: without a map of topics any payload may be given.
export function publishInto<Topics extends object = Record<string, any>>(
  db: SqliteDatabase,
  event: PublishInput<Topics>,
  options: PublishIntoOptions = {},
): string {
  checkDatabase(db)
  const tenant = tenantOf(options)
  const request = toRequest(event)
  const { deliverAt } = checkRequest({ ...request, tenantId: defaultTenantId }, { clock, time: clock })
  const id = ids.next('evt')
  const written = insert(db, {
    id,
    topic: request.topic,
    tenant,
    idempotencyKey: request.idempotency?.key ?? null,
    orderingKey: request.orderingKey,
    metadata: request.metadata === null ? null : JSON.stringify(request.metadata),
    // Text, because it can be read in the file then. It is JSON in UTF-8, so its bytes come back as they are.
    payload: new TextDecoder().decode(request.payload),
    deliverAt: deliverAt === null ? null : new Date(deliverAt).toISOString(),
    traceContext: request.traceContext,
  })
  if (isPromise(written)) {
    throw invalid(
      'db answers with promises, so nobody knows when the event is part of the transaction; give a database of ' +
        'node:sqlite or better-sqlite3, or insert the row yourself (docs/guides/outbox.md)',
    )
  }
  tellOfOutbox()
  return id
}

function insert(db: SqliteDatabase, row: NewOutboxRow): unknown {
  try {
    return insertOutboxRow(db, row)
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause
    if (traceColumns.some((column) => cause.message.includes(`no column named ${column}`))) {
      throw new OuthookError(
        'invalid_request',
        `the table ${outboxTable} has no columns for a trace context; add them once: ${addTraceColumnsSql}`,
        { cause },
      )
    }
    if (!cause.message.includes(`no such table: ${outboxTable}`)) throw cause
    throw new OuthookError(
      'invalid_request',
      `the database has no table ${outboxTable}; make it once with db.exec(outboxSql())`,
      { cause },
    )
  }
}

function checkDatabase(db: unknown): void {
  if (typeof db === 'object' && db !== null && 'prepare' in db && typeof db.prepare === 'function') return
  throw invalid('db must be a database of node:sqlite or better-sqlite3')
}

/** No mistake here may publish for another tenant than was meant. */
function tenantOf(options: PublishIntoOptions): string | null {
  if (typeof options !== 'object' || options === null)
    throw invalid('the options are an object such as { tenant }')
  const unknown = Object.keys(options).find((name) => name !== 'tenant')
  if (unknown !== undefined)
    throw invalid(`there is no option ${unknown.slice(0, 64)}; the only one is { tenant }`)
  if (!('tenant' in options)) return null
  const { tenant } = options
  if (typeof tenant !== 'string' || tenant === '') {
    throw invalid('tenant must be the id or the uid of a tenant')
  }
  checkText(tenant, 'tenant')
  return tenant
}

function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value
}
