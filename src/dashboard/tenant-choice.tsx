/** Of which tenant the pages are; the address says it too, so that it can be shared. */
import { useEffect, useState } from 'preact/hooks'
import type { Tenant } from '../client/index.ts'
import { useAddress, useUrlState } from './kit/address.ts'
import { findPage } from './kit/find-page.ts'
import { useSession } from './kit/session.ts'
import { text } from './kit/url-values.ts'
import { server } from './server.ts'
import { tenantOptions } from './tenant-options.ts'

export function TenantChoice() {
  const { tenant } = useSession()
  const { path } = useAddress()
  const [, set] = useUrlState({ tenant: text, cursor: text })
  const [tenants, setTenants] = useState<readonly Tenant[]>([])
  useEffect(() => {
    const ending = new AbortController()
    server.tenants.list({ limit: 200 }, { signal: ending.signal }).then(
      ({ items }) => setTenants(items),
      // The page itself tells what is wrong.
      () => undefined,
    )
    return () => ending.abort()
  }, [])
  const isOfAll = findPage(path)?.entry.isOfAllTenants ?? false
  const { options, value } = tenantOptions(tenants, tenant, isOfAll)
  return (
    <label>
      Tenant{' '}
      <select
        value={value}
        // A page of one tenant's list is none of another's.
        onChange={({ currentTarget }) => set({ tenant: currentTarget.value, cursor: '' })}
      >
        {options.map(([one, name]) => (
          <option key={one} value={one}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}
