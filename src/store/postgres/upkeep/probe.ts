/** A write that needs what a publish needs, and tells whether the next one would be durable. */
import { randomBytes } from 'node:crypto'
import { type Context, command, run } from '../connection/statement.ts'

/** Less than whoever asks waits for. */
const lockTimeoutMs = 300
/** Incompressible, or it would take no room. */
const probeBytes = 12 * 1024
/** Whatever a publish writes to. */
const tables = ['events', 'handoffs', 'live_deliveries', 'ready_endpoints', 'idempotency_keys']

/** In one transaction; nothing of it is ever seen. Locks the tables as any insert does. */
export async function probeWrite(context: Context): Promise<void> {
  await context.query(null, `set local lock_timeout = ${lockTimeoutMs}`, [])
  await context.query(null, `lock table ${tables.join(', ')} in row exclusive mode`, [])
  const name = `write_probe ${randomBytes(8).toString('hex')}`
  const value = randomBytes(probeBytes).toString('base64')
  await run(context, insertStatement, { name, value })
  await run(context, deleteStatement, { name })
}

const insertStatement = command(
  'insert_probe',
  { name: 'text', value: 'text' },
  // primary key
  'insert into meta (name, value) values ($name, $value)',
)

const deleteStatement = command('delete_probe', { name: 'text' }, 'delete from meta where name = $name')

export async function ping(context: Context): Promise<void> {
  await context.query('ping', 'select 1', [])
}

/** Locks nothing, and is refused by a server that takes no writes. */
export async function checkWritable(context: Context): Promise<void> {
  await context.query('check_writable', 'select 1 from tenants where false for update', [])
}
