/** Waiting until a deleted tenant is gone, and how far that has got. */
import { setTimeout as wait } from 'node:timers/promises'
import { NotFoundError } from '../client/errors.ts'
import type { TenantResource } from '../client/resources.ts'
import type { ApiContext } from './api-command.ts'
import { createBar, followMs, type Progress } from './bar.ts'
import { counted } from './counted.ts'

type Rows = NonNullable<TenantResource['removed']>

/** Shows it, until it is gone or at once. */
export async function followRemoval(
  context: ApiContext,
  tenant: TenantResource,
  options: { readonly wait: boolean },
): Promise<void> {
  const { print } = context
  if (!options.wait) {
    print.answer('Tenant', tenant)
    print.note(`\nIt is removed in the background: outhook tenants get ${tenant.id} --wait`)
    return
  }
  await untilGone(context, tenant)
  const { id, uid, name } = tenant
  print.object({ id, uid, name, state: 'deleted' })
}

const nothing: Rows = { endpoints: 0, events: 0, deliveries: 0 }

async function untilGone({ client, print, io }: ApiContext, tenant: TenantResource): Promise<void> {
  const bar = print.json ? null : createBar(io)
  for (let last = tenant; ; ) {
    bar?.show(progressOf(last))
    await wait(followMs)
    try {
      last = await client.tenants.get(tenant.id)
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error
      bar?.show({ share: 1, line: 'removed' })
      bar?.end()
      return
    }
  }
}

function progressOf({ removed, removal }: TenantResource): Progress {
  const left = removal?.left
  const gone = sumOf(removed ?? nothing)
  if (left == null) return { share: null, line: `${removal?.phase ?? 'removing'}: not counted yet` }
  const total = gone + sumOf(left)
  return {
    share: total === 0 ? 1 : gone / total,
    line: `removing: ${counted(left.deliveries, 'delivery', 'deliveries')}, ${counted(left.events, 'event')} and ${counted(left.endpoints, 'endpoint')} left`,
  }
}

function sumOf({ endpoints, events, deliveries }: Rows): number {
  return endpoints + events + deliveries
}
