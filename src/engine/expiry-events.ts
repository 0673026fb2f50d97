/**
 * Publishes what tenants are told of certificates that run out. The store keeps a notice from the moment that one process
 * noted it until its event is published, under an idempotency key of the notice's own: of all processes that see the
 * certificate, and whichever dies in between, one event comes for each of its days. Its deliveries may use that very
 * certificate, which was told of by then.
 */
import { expiryMark, renderExpiryNotice } from '../core/operational-events.ts'
import type { CredentialStore, PendingExpiry } from '../store/port.ts'
import { type OperationalPublishing, publishOperational } from './publish-operational.ts'
import type { DurableWork } from './work-loop.ts'

const noticesAtOnce = 100
const topic = 'credential.expiring'

export interface ExpiryEventsOptions extends OperationalPublishing {
  readonly credentials: Pick<CredentialStore, 'listExpiryNotices' | 'removeExpiryNotice'>
  /** Another process may have left a notice, so one is looked for this often; null: there is no other. */
  readonly lookEveryMs: number | null
}

export function expiryEvents(options: ExpiryEventsOptions): DurableWork {
  const { credentials, lookEveryMs } = options
  return {
    failing: 'tenants are told of certificates that run out later: it failed and is tried again',
    async next() {
      const found = await credentials.listExpiryNotices(noticesAtOnce)
      for (const pending of found) {
        if (!(await tell(options, pending))) return lookEveryMs
        await credentials.removeExpiryNotice(pending.credentialId, pending.notice)
      }
      return found.length === 0 ? lookEveryMs : 0
    },
  }
}

/** False: this process takes no more events. */
function tell(publishing: OperationalPublishing, { notice, ...pending }: PendingExpiry): Promise<boolean> {
  const { credentialId, tenantId } = pending
  return publishOperational(publishing, {
    tenantId,
    topic,
    payload: renderExpiryNotice(pending, notice),
    key: `${topic} ${credentialId} ${expiryMark(notice)}`,
    exceptEndpointId: null,
  })
}
