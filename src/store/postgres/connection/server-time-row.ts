import type { Clock } from '../../../core/clock.ts'
import { type Logger, silentLogger } from '../../../core/logger.ts'
import { savedTimeName } from '../../saved-time.ts'
import type { Database, Session } from './database.ts'
import { type ServerReading, ServerTime, type TimeChange } from './server-time.ts'

export interface OpenServerTimeOptions {
  readonly clock: Clock
  readonly logger?: Logger
  /** In tests: stands for the server's clock. */
  readonly shiftMs?: () => number
  /** In tests: the scale that this process's own time goes by. Default: that of `shiftMs`, or the clock's. */
  readonly elapsed?: () => number
}

/** Goes on with the store's time. When that fails the database is closed. */
export async function openServerTime(
  database: Database,
  { clock, logger = silentLogger, shiftMs, elapsed = shiftMs ?? clock.elapsed }: OpenServerTimeOptions,
): Promise<ServerTime> {
  try {
    return await ServerTime.open({
      clock: { elapsed, schedule: clock.schedule },
      logger,
      async read() {
        const { wall, saved } = await database.statement('read', readServerTime)
        return { wall: shiftMs?.() ?? wall, saved }
      },
      keep: (change) => database.statement('config', (session) => keepServerTime(session, change)),
    })
  } catch (error) {
    await database.close()
    throw error
  }
}

export async function readServerTime(session: Pick<Session, 'query'>): Promise<ServerReading> {
  const [row] = await session.query<{ readonly wall: number; readonly saved: string | null }>(
    'read_server_time',
    // primary key
    'select server_ms() as wall, (select value from meta where name = $1) as saved',
    [savedTimeName],
  )
  return { wall: row?.wall ?? 0, saved: row?.saved ?? null }
}

/**
 * Together with the times of idempotency keys: what a start skips may not have passed, so no key expires by it. One
 * statement, so that of several nodes that start one does it.
 */
export async function keepServerTime(
  session: Session,
  { value, instead, skippedMs, seenAt }: TimeChange,
): Promise<boolean> {
  const rows = await session.query(
    'keep_server_time',
    // primary key, idempotency_keys_expiry
    `with made as (
       insert into meta (name, value) select $1, $2 where $3::text is null
       on conflict (name) do nothing returning 1
     ), changed as (
       update meta set value = $2 where name = $1 and value = $3 returning 1
     ), kept as (select 1 from made union all select 1 from changed),
     moved as (
       update idempotency_keys set expires_at = expires_at + $4::bigint
       where $4::bigint > 0 and expires_at > $5::bigint and exists (select 1 from kept)
     )
     select 1 from kept`,
    [savedTimeName, value, instead, skippedMs, seenAt],
  )
  return rows.length > 0
}
