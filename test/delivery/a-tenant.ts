import { defaultTenantSettings } from '../../src/core/tenant.ts'
import type { Routing } from '../../src/store/port.ts'

/** As a store says it of a tenant with the server's settings. */
export const liveTenant: Routing['tenant'] = { settings: defaultTenantSettings, deleted: false }
