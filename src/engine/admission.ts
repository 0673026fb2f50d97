/** Whether a tenant takes an event now. */
import { OuthookError } from '../core/errors.ts'
import { defaultTenantId } from '../core/model.ts'
import type { RoutedTenant } from '../store/port.ts'
import type { IngestRates } from './ingest-rates.ts'

/**
 * Throws `not_found` where the tenant is gone, and `rate_limited`.
 *
 * @param rates null: the event has spent its token
 */
export function admit(tenantId: string, tenant: RoutedTenant | null, rates: IngestRates | null): void {
  if (tenant === null ? tenantId !== defaultTenantId : tenant.deleted) {
    throw new OuthookError('not_found', 'the tenant was deleted and takes no more events', {
      title: 'tenant not found',
    })
  }
  const rate = tenant?.settings.ingestRate ?? null
  if (rate !== null) rates?.spend(tenantId, rate, 'the tenant')
}
