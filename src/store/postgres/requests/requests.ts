/** What calls with an idempotency key of their own wrote and answered. */
import { isDone, type KeptRequest, type NewKeptRequest } from '../../port.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'

interface RequestRow {
  readonly hash: Uint8Array
  readonly seed: Uint8Array
  readonly write: string | null
  readonly answer: Uint8Array | null
}

export async function getRequest(context: Context, id: Uint8Array): Promise<KeptRequest | null> {
  const [row] = await run(context, getRequestStatement, { id: Buffer.from(id) })
  return row === undefined ? null : { ...row, write: row.write === null ? null : JSON.parse(row.write) }
}

const getRequestStatement = query<RequestRow>()(
  'get_request',
  { id: 'bytea' },
  // primary key
  `select hash, seed, write, answer from kept_requests where id = $id and expires_at > ${now}`,
)

/** In a transaction. Its row comes first, so that the same request on another node waits for the end of this one. */
export async function writeOnce(
  context: Context,
  request: NewKeptRequest,
  write: { readonly name: string; readonly run: () => Promise<unknown> },
): Promise<{ readonly kind: 'done'; readonly result: unknown } | { readonly kind: 'taken' }> {
  const mine = await run(context, takeRequestStatement, valuesOf(request))
  if (mine.length === 0) return { kind: 'taken' }
  const id = Buffer.from(request.id)
  const result = await write.run()
  if (isDone(result)) {
    await run(context, noteWriteStatement, { id, write: JSON.stringify({ name: write.name, result }) })
  } else await run(context, dropRequestStatement, { id })
  return { kind: 'done', result }
}

function valuesOf({ id, hash, seed, ttlMs }: NewKeptRequest) {
  return { id: Buffer.from(id), hash: Buffer.from(hash), seed: Buffer.from(seed), ttl: Math.round(ttlMs) }
}

const takeRequestStatement = query<object>()(
  'take_request',
  { id: 'bytea', hash: 'bytea', seed: 'bytea', ttl: 'bigint' },
  // primary key; one whose time is over is replaced
  `insert into kept_requests as k (id, hash, seed, expires_at) values ($id, $hash, $seed, ${now} + $ttl)
   on conflict (id) do update
     set hash = $hash, seed = $seed, write = null, answer = null, expires_at = ${now} + $ttl
     where k.expires_at <= ${now}
   returning id`,
)

const noteWriteStatement = command(
  'note_request_write',
  { id: 'bytea', write: 'text' },
  // primary key
  'update kept_requests set write = $write where id = $id',
)

const dropRequestStatement = command(
  'drop_request',
  { id: 'bytea' },
  // primary key
  'delete from kept_requests where id = $id',
)

/** In a transaction. */
export async function keepAnswer(
  context: Context,
  request: NewKeptRequest,
  answer: Uint8Array,
): Promise<void> {
  await run(context, takeRequestStatement, valuesOf(request))
  await run(context, keepAnswerStatement, { id: Buffer.from(request.id), answer: Buffer.from(answer) })
}

const keepAnswerStatement = command(
  'keep_answer',
  { id: 'bytea', answer: 'bytea' },
  // primary key
  'update kept_requests set answer = $answer where id = $id',
)

/** At most `limit` whose time is over; whether there may be more. */
export async function deleteExpiredRequests(context: Context, limit: number): Promise<boolean> {
  const [row] = await run(context, deleteRequestsStatement, { limit })
  return row?.gone === limit
}

const deleteRequestsStatement = query<{ readonly gone: number }>()(
  'delete_expired_requests',
  { limit: 'bigint' },
  // kept_requests_expiry, then by tid; one that is being replaced is passed over
  `with expired as materialized (
     select ctid as tid from kept_requests where expires_at <= ${now}
     order by expires_at limit $limit for update skip locked
   ), gone as (
     delete from kept_requests where ctid = any (array(select tid from expired)) returning 1
   )
   select count(*)::integer as gone from gone`,
)
