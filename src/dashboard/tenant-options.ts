/** What can be chosen where somebody chooses a tenant, and what is chosen. Pure. */
import type { Tenant } from '../client/index.ts'

interface TenantOptions {
  readonly options: readonly (readonly [value: string, text: string])[]
  /** One of the options. */
  readonly value: string
}

type Named = Pick<Tenant, 'id' | 'uid'>

/**
 * `tenant` is what the address says, an id or a uid. On a page of all tenants together its absence means those, and
 * `default` is a tenant like any other; elsewhere its absence means `default`.
 */
export function tenantOptions(
  tenants: readonly Named[],
  tenant: string | undefined,
  isOfAll: boolean,
): TenantOptions {
  const nameOf = ({ id, uid }: Named) => uid ?? id
  const found = tenants.find(({ id, uid }) => tenant === id || tenant === uid)
  const name = found === undefined ? tenant : nameOf(found)
  const others = tenants.map(nameOf).filter((one) => one !== 'default')
  // One that is not among the first of the list, or was not read yet.
  const isOther = name !== undefined && name !== 'default' && !others.includes(name)
  return {
    options: [
      ...(isOfAll
        ? ([
            ['', 'all tenants'],
            ['default', 'default'],
          ] as const)
        : ([['', 'default']] as const)),
      ...[...others, ...(isOther ? [name] : [])].map((one) => [one, one] as const),
    ],
    value: name === undefined || (name === 'default' && !isOfAll) ? '' : name,
  }
}
