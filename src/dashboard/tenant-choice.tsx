/** Of which tenant the figures are; the address of the page says it too, so that it can be shared. */
import { useEffect, useState } from 'preact/hooks'
import type { Tenant } from '../client/index.ts'
import { server } from './server.ts'

/** Undefined: the tenant `default`. */
export function tenantInAddress(): string | undefined {
  return new URLSearchParams(location.search).get('tenant') ?? undefined
}

function putInAddress(tenant: string | undefined): void {
  const address = new URL(location.href)
  if (tenant === undefined) address.searchParams.delete('tenant')
  else address.searchParams.set('tenant', tenant)
  history.replaceState(null, '', address)
}

interface TenantChoiceProps {
  readonly tenant: string | undefined
  readonly onChoose: (tenant: string | undefined) => void
}

export function TenantChoice({ tenant, onChoose }: TenantChoiceProps) {
  const [tenants, setTenants] = useState<readonly Tenant[]>([])
  useEffect(() => {
    const ending = new AbortController()
    server.tenants.list({ limit: 200 }, { signal: ending.signal }).then(
      ({ items }) => setTenants(items),
      // The figures themselves tell what is wrong.
      () => undefined,
    )
    return () => ending.abort()
  }, [])
  const choose = (chosen: string | undefined) => {
    putInAddress(chosen)
    onChoose(chosen)
  }
  const others = tenants.filter(({ uid }) => uid !== 'default')
  const isListed = tenant === undefined || others.some(({ id, uid }) => tenant === id || tenant === uid)
  return (
    <label>
      Tenant{' '}
      <select
        value={tenant ?? ''}
        onChange={({ currentTarget }) => choose(currentTarget.value === '' ? undefined : currentTarget.value)}
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
