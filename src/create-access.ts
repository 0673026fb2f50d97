/** Who may call the API: keys, tokens, browsers that are signed in, and links to the portal; and what they have changed. */
import { AdminTokens, type AdminTokensOptions } from './engine/admin-tokens.ts'
import { ApiKeys } from './engine/api-keys.ts'
import { AuditLog } from './engine/audit-log.ts'
import { Authentication } from './engine/authentication.ts'
import type { Engine } from './engine/engine.ts'
import type { LastUses } from './engine/last-uses.ts'
import { PortalLinks } from './engine/portal-links.ts'
import { SignIns } from './engine/sign-ins.ts'
import type { Tenants } from './engine/tenants.ts'
import type { Store } from './store/port.ts'

export interface AccessParts extends Omit<AdminTokensOptions, 'store' | 'tenants'> {
  /** As people see it. */
  readonly shown: Store
  readonly store: Store
  readonly tenants: Tenants
  readonly uses: LastUses
  readonly publicUrl: string | null
}

export function createAccess({ shown, store, uses, publicUrl, ...parts }: AccessParts) {
  const { time, randomBytes } = parts
  return {
    apiKeys: new ApiKeys({ ...parts, store: shown }),
    adminTokens: new AdminTokens({ ...parts, store: shown }),
    authentication: new Authentication({ store, time, uses }),
    signIns: new SignIns({ store, time, uses, randomBytes }),
    portalLinks: new PortalLinks({ ...parts, store: shown, publicUrl }),
    audit: new AuditLog(shown),
  } satisfies Partial<Engine>
}
