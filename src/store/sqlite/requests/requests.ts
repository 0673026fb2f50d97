/** What calls with an idempotency key of their own wrote and answered. */
import { isDone, type KeptRequest, type NewKeptRequest } from '../../port.ts'
import type { ReadContext } from '../read/context.ts'
import type { WriteContext } from '../threads/write-context.ts'

interface RequestRow {
  readonly hash: Uint8Array
  readonly seed: Uint8Array
  readonly write: string | null
  readonly answer: Uint8Array | null
}

export function getRequest({ prepare, now }: ReadContext, id: Uint8Array): KeptRequest | null {
  const row = prepare<RequestRow>(
    'select hash, seed, write, answer from kept_requests where id = ? and expires_at > ?', // primary key
  ).get(id, now)
  return row === undefined ? null : { ...row, write: row.write === null ? null : JSON.parse(row.write) }
}

export function writeOnce(
  context: WriteContext,
  request: NewKeptRequest,
  write: { readonly name: string; readonly run: () => unknown },
): { readonly kind: 'done'; readonly result: unknown } | { readonly kind: 'taken' } {
  if (getRequest(context, request.id) !== null) return { kind: 'taken' }
  const result = write.run()
  if (isDone(result)) insertRequest(context, request, JSON.stringify({ name: write.name, result }))
  return { kind: 'done', result }
}

export function keepAnswer(context: WriteContext, request: NewKeptRequest, answer: Uint8Array): void {
  if (getRequest(context, request.id) === null) insertRequest(context, request, null)
  context.prepare('update kept_requests set answer = ? where id = ?').run(answer, request.id) // primary key
}

/** In the place of one whose time is over. */
function insertRequest({ prepare, now }: WriteContext, request: NewKeptRequest, write: string | null): void {
  const { id, hash, seed, ttlMs } = request
  prepare(
    'insert or replace into kept_requests (id, hash, seed, write, expires_at) values (?, ?, ?, ?, ?)', // primary key
  ).run(id, hash, seed, write, now + ttlMs)
}

/** At most `limit` whose time is over; whether there may be more. */
export function deleteExpiredRequests({ prepare, now }: WriteContext, limit: number): boolean {
  const { changes } = prepare(
    // kept_requests_expiry
    `delete from kept_requests where id in
       (select id from kept_requests where expires_at <= ? order by expires_at limit ?)`,
  ).run(now, limit)
  return changes === limit
}
