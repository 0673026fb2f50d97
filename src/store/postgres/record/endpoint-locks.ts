import type { Context } from '../connection/context.ts'
import { uuid } from '../rows/wire-types.ts'

/**
 * Which of these endpoints are disabled, and stay so until this transaction ends. Enabling makes parked deliveries
 * due in one sweep: whoever parks one more must come before it, or see that it has happened.
 */
export async function lockDisabled(
  context: Context,
  endpoints: readonly Uint8Array[],
): Promise<ReadonlySet<string>> {
  if (endpoints.length === 0) return new Set()
  const rows = await context.query<{ readonly id: Uint8Array }>(
    'lock_disabled',
    // primary key, in key order
    `select id from endpoints
     where id = any ($1::uuid[]) and disabled_reason is not null and deleted_at is null order by id for share`,
    [Array.from(new Set(endpoints.map(uuid)))],
  )
  return new Set(rows.map((row) => uuid(row.id)))
}
