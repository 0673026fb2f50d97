import type { TenantCreate } from '../../../client/index.ts'
import { goTo } from '../../kit/address.ts'
import { PageHeading } from '../../kit/detail.tsx'
import { pathOf } from '../../kit/match-path.ts'
import { useTell } from '../../kit/results.tsx'
import { server } from '../../server.ts'
import { TenantForm } from './tenant-form.tsx'

export function Page() {
  const tell = useTell()
  const create = async (input: TenantCreate) => {
    const made = await server.tenants.create(input)
    tell('The tenant is there. Choose it at the top to see what is its own.')
    goTo(pathOf('tenants', made.id))
  }
  return (
    <>
      <PageHeading>New tenant</PageHeading>
      <TenantForm submit="Make the tenant" of={null} onSubmit={create} onCancel={() => goTo('tenants')} />
    </>
  )
}
