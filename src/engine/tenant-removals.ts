/**
 * Removes what belonged to deleted tenants, slice by slice. How far it has got stands in the store: whoever dies in it is
 * followed by the next process that looks, or by itself when it is started again.
 */
import type { StorePace, TenantStore } from '../store/port.ts'
import type { DurableWork } from './work-loop.ts'

/** Until requests that were under way have ended, which another process may be waiting for. */
const waitMs = 500

export interface TenantRemovalsOptions {
  readonly store: Pick<TenantStore, 'removeDeletedTenants'> & {
    readonly pace: Pick<StorePace, 'maintenance'>
  }
  /** Another process may leave a tenant half removed, so one is looked for this often; null: there is no other. */
  readonly lookEveryMs: number | null
}

export function tenantRemovals({ store, lookEveryMs }: TenantRemovalsOptions): DurableWork {
  return {
    failing: 'the removal of deleted tenants waits: it failed and is tried again',
    async next() {
      const { open, more } = await store.removeDeletedTenants({ limit: store.pace.maintenance.retentionRows })
      if (more) return 0
      return open ? waitMs : lookEveryMs
    },
  }
}
