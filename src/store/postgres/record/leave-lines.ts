/** What the ends of leases mean for the lines of ordered deliveries, which the caller has locked. */
import type { Lease } from '../claim/leases.ts'
import type { Context } from '../connection/statement.ts'
import { leaving, settleLines } from '../ordering/lines.ts'
import type { LeaseEnd } from './lease-end.ts'

interface Facts {
  readonly written: ReadonlySet<Lease>
  /** Its endpoint or its subscription is deleted, so nobody can send it again. */
  isDeleted(lease: Lease): boolean
}

/** True: others have become the heads of their lines, and are due. */
export async function leaveLines(
  context: Context,
  ends: readonly LeaseEnd[],
  { written, isDeleted }: Facts,
): Promise<boolean> {
  const changes = ends.flatMap(({ lease, state }) => {
    const isLive = state === 'pending' || state === 'retry_scheduled'
    if (lease.line === null || isLive || !written.has(lease)) return []
    return [leaving(lease.line, { id: lease.id, isBlocking: state === 'dead_lettered' && !isDeleted(lease) })]
  })
  return (await settleLines(context, changes)).dueTargets.length > 0
}
