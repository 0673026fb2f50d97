/** A write that needs what a publish needs, and tells whether the next one would be durable. */
import { randomBytes } from 'node:crypto'
import type { Context } from '../connection/context.ts'

/** Less than whoever asks waits for. */
const lockTimeoutMs = 300
/** Incompressible, or it would take no room. */
const probeBytes = 12 * 1024
/** Whatever a publish writes to. */
const tables = ['events', 'event_payloads', 'live_deliveries', 'ready_endpoints', 'idempotency_keys']

/** In one transaction; nothing of it is ever seen. Locks the tables as any insert does. */
export async function probeWrite(context: Context): Promise<void> {
  await context.query(null, `set local lock_timeout = ${lockTimeoutMs}`, [])
  await context.query(null, `lock table ${tables.join(', ')} in row exclusive mode`, [])
  const name = `write_probe ${randomBytes(8).toString('hex')}`
  const value = randomBytes(probeBytes).toString('base64')
  // primary key
  await context.query('insert_probe', 'insert into meta (name, value) values ($1, $2)', [name, value])
  await context.query('delete_probe', 'delete from meta where name = $1', [name])
}
