import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'

/** Which of these subscriptions are ordered, and not deleted. */
export async function findOrdered(
  context: Context,
  subscriptionIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await run(context, orderedStatement, { ids: subscriptionIds.map(uuidOfId) })
  return new Set(rows.map(({ id }) => bytesToId(idPrefixes.subscription, id)))
}

const orderedStatement = query<{ readonly id: Uint8Array }>()(
  'ordered_subscriptions',
  { ids: 'uuid[]' },
  // primary key
  'select id from subscriptions where id = any ($ids) and ordered and deleted_at is null',
)
