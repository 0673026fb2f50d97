/** What a connection of a lane is set to. */
import type { ClientBase } from 'pg'
import { OuthookError } from '../../../core/errors.ts'
import { type Lane, lanes } from './lanes.ts'
import { quoteName } from './schema.ts'

/** A node that froze amid a transaction holds rows that others need. */
const idleInTransactionTimeoutMs = 10_000
type Setting = readonly [name: string, value: string]

function settingsOf(lane: Lane, schema: string): readonly Setting[] {
  const { isHot, statementTimeoutMs, lockTimeoutMs } = lanes[lane]
  const settings: Setting[] = [
    ['search_path', quoteName(schema)],
    ['synchronous_commit', 'on'],
    ['statement_timeout', `${statementTimeoutMs}`],
    ['lock_timeout', `${lockTimeoutMs}`],
    ['idle_in_transaction_session_timeout', `${idleInTransactionTimeoutMs}`],
    ['jit', 'off'],
  ]
  // The queue is empty one moment and has a million rows the next. A plan that suits the one, made from statistics
  // of then, must not be used in the other: always the plan by index, made once per connection.
  if (isHot) settings.push(['enable_seqscan', 'off'], ['plan_cache_mode', 'force_generic_plan'])
  // Payloads are mostly plain text, which this form leaves as it is; as hexadecimal digits they are twice as long.
  if (lane === 'claim') settings.push(['bytea_output', 'escape'])
  return settings
}

/** Set, and read back: durability must not rest on a setting that a proxy swallowed. */
export async function applySettings(client: ClientBase, lane: Lane, schema: string): Promise<void> {
  const settings = settingsOf(lane, schema)
  const columns = settings.map((_, index) => `set_config($${index * 2 + 1}, $${index * 2 + 2}, false)`)
  await client.query(`select ${columns.join(', ')}`, settings.flat())
  const { rows } = await client.query(
    `select current_setting('synchronous_commit') as commit, current_setting('search_path') as path`,
  )
  const [found] = rows as { readonly commit: string; readonly path: string }[]
  if (found?.commit !== 'on' || found.path !== settings[0]?.[1]) {
    throw new OuthookError(
      'store_unavailable',
      `PostgreSQL does not keep settings of a session (synchronous_commit is ${found?.commit}); ` +
        'connect to the server itself or through a pool in session mode',
    )
  }
}
