import { type Context, query, run } from '../connection/statement.ts'
import { uuid } from '../rows/wire-types.ts'

/**
 * Which of these endpoints are disabled, and stay so until this transaction ends. Enabling makes parked deliveries
 * due in one sweep: whoever parks one more must come before it, or see that it has happened. Ids are hexadecimal.
 */
export async function lockDisabled(
  context: Context,
  endpoints: readonly string[],
): Promise<ReadonlySet<string>> {
  if (endpoints.length === 0) return new Set()
  const rows = await run(context, lockStatement, { endpoints: Array.from(new Set(endpoints)) })
  return new Set(rows.map((row) => uuid(row.id)))
}

const lockStatement = query<{ readonly id: Uint8Array }>()(
  'lock_disabled',
  { endpoints: 'uuid[]' },
  // primary key, in key order
  `select id from endpoints
   where id = any ($endpoints) and disabled_reason is not null and deleted_at is null order by id for share`,
)
