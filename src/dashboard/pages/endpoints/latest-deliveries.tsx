import type { Delivery } from '../../../client/index.ts'
import { DeliveryState } from '../../delivery-state.tsx'
import { hrefOf } from '../../kit/address.ts'
import { Part } from '../../kit/detail.tsx'
import { type Column, KeysetTable, usePage } from '../../kit/keyset-table.tsx'
import { pathOf } from '../../kit/match-path.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'

const columns: readonly Column<Delivery>[] = [
  {
    title: 'Delivery',
    cell: (one) => <a href={hrefOf(pathOf('deliveries', one.id))}>{one.topic ?? 'a direct send'}</a>,
  },
  { title: 'State', cell: (one) => <DeliveryState of={one} /> },
  { title: 'Attempts', isNumber: true, cell: (one) => one.attemptCount },
  { title: 'Answer', cell: (one) => one.lastHttpStatus ?? one.errorClass ?? '–' },
  {
    title: 'Next attempt',
    cell: (one) => (one.nextAttemptAt === null ? '–' : <Time at={one.nextAttemptAt} />),
  },
  { title: 'Made', cell: (one) => <Time at={one.createdAt} /> },
]

/** There are other parts below. */
const rowsPerPage = 20

export function LatestDeliveries({ endpointId }: { readonly endpointId: string }) {
  const page = usePage(
    `latest of ${endpointId}`,
    (query, call) => server.deliveries.list({ endpointId, ...query }, call),
    { everyMs: 5_000, limit: rowsPerPage },
  )
  return (
    <Part title="Latest deliveries">
      <KeysetTable
        label="Latest deliveries"
        page={page}
        keyOf={({ id }) => id}
        columns={columns}
        empty="Nothing was sent to it yet. Publish an event of one of its topics, or send it a test event."
      />
    </Part>
  )
}
