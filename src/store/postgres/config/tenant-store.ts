import { idPrefixes } from '../../../core/ids.ts'
import { bytesOfId } from '../../cursors.ts'
import type { TenantStore } from '../../port.ts'
import type { Runner } from '../connection/runner.ts'
import * as tenants from '../read/tenants.ts'
import { deleteTenant, removeDeletedTenants } from '../upkeep/remove-tenants.ts'
import { insertTenant, updateTenant } from './tenants.ts'

/** @param recover ends leases whose time is over */
export function createTenantStore({ plain, atomic }: Runner, recover: () => Promise<unknown>): TenantStore {
  return {
    insertTenant: (input) => plain('config', (context) => insertTenant(context, input)),
    updateTenant: async (id, patch, options) =>
      bytesOfId(idPrefixes.tenant, id) !== null
        ? atomic('config', (context) => updateTenant(context, id, patch, options))
        : null,
    deleteTenant: async (id, options) =>
      bytesOfId(idPrefixes.tenant, id) === null
        ? null
        : atomic('config', (context) => deleteTenant(context, id, options)),
    async removeDeletedTenants(options) {
      await recover()
      return atomic('config', (context) => removeDeletedTenants(context, options))
    },
    getTenant: (id) => plain('read', (context) => tenants.getTenant(context, id)),
    getTenantByUid: (uid) => plain('read', (context) => tenants.getTenantByUid(context, uid)),
    listTenants: (page) => plain('read', (context) => tenants.listTenants(context, page)),
    findTenantOf: (id) => plain('read', (context) => tenants.findTenantOf(context, id)),
  }
}
