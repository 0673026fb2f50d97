/** Of which tenant the pages are; the address says it too, so that it can be shared. */
import { useEffect, useState } from 'preact/hooks'
import type { Tenant } from '../client/index.ts'
import { useUrlState } from './kit/address.ts'
import { useSession } from './kit/session.ts'
import { text } from './kit/url-values.ts'
import { server } from './server.ts'

export function TenantChoice() {
  const { tenant } = useSession()
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
  const others = tenants.filter(({ uid }) => uid !== 'default')
  // A link to one of its things may name it by its id.
  const isDefault = tenants.some(({ id, uid }) => uid === 'default' && (tenant === id || tenant === uid))
  const isListed =
    tenant === undefined || isDefault || others.some(({ id, uid }) => tenant === id || tenant === uid)
  return (
    <label>
      Tenant{' '}
      <select
        value={isDefault ? '' : (tenant ?? '')}
        // A page of one tenant's list is none of another's.
        onChange={({ currentTarget }) => set({ tenant: currentTarget.value, cursor: '' })}
      >
        <option value="">default</option>
        {others.map(({ id, uid }) => (
          <option key={id} value={uid ?? id}>
            {uid ?? id}
          </option>
        ))}
        {!isListed && <option value={tenant}>{tenant}</option>}
      </select>
    </label>
  )
}
