/**
 * Whether a tenant takes an event now: it is there, and publishes no faster than it may. Where several processes share a
 * store the rate is that of all of them together, as of producer keys.
 */
import { OuthookError } from '../core/errors.ts'
import { defaultTenantId } from '../core/model.ts'
import type { RoutedTenant } from '../store/port.ts'
import type { KeyRates, TakenTokens } from './key-rates.ts'
import type { PublishQueue, Waiting } from './publish-queue.ts'

export class Admission {
  readonly #rates: KeyRates
  readonly #queue: Pick<PublishQueue, 'holdWhile'>
  /** Events that wait for what the store has of their tenant's rate. */
  readonly #asking = new Set<Promise<void>>()

  constructor(rates: KeyRates, queue: Pick<PublishQueue, 'holdWhile'>) {
    this.#rates = rates
    this.#queue = queue
  }

  get asking(): ReadonlySet<Promise<void>> {
    return this.#asking
  }

  /**
   * An event spends one token of its tenant, however often it is planned. False: only the store knows whether there is
   * one, and the queue holds the event meanwhile. Throws `not_found` where the tenant is gone, and `rate_limited`, with
   * the seconds until there is another token.
   */
  admit(waiting: Waiting, tenant: RoutedTenant | null): boolean {
    const { tenantId } = waiting.request
    if (tenant === null ? tenantId !== defaultTenantId : tenant.deleted) throw gone()
    const rps = tenant?.settings.ingestRate ?? null
    if (rps === null || waiting.isPaid) return true
    waiting.isPaid = true
    const taken = this.#rates.take(tenantId, { rps, count: 1 })
    if (!(taken instanceof Promise)) {
      refuseWithout(taken, rps)
      return true
    }
    const paying = taken.then((found) => refuseWithout(found, rps))
    const asking: Promise<void> = this.#queue.holdWhile(waiting, paying).finally(() => {
      this.#asking.delete(asking)
    })
    this.#asking.add(asking)
    return false
  }
}

function gone(): OuthookError {
  return new OuthookError('not_found', 'the tenant was deleted and takes no more events', {
    title: 'tenant not found',
  })
}

function refuseWithout({ count, waitMs }: TakenTokens, rps: number): void {
  if (count > 0) return
  throw new OuthookError(
    'rate_limited',
    `the tenant may publish ${rps} events per second; send the event again when Retry-After is over`,
    { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) },
  )
}
