import type { Delivery } from '../../../client/index.ts'
import { DeliveryState } from '../../delivery-state.tsx'
import { hrefOf } from '../../kit/address.ts'
import { Loading, Part, Problem } from '../../kit/detail.tsx'
import { type Column, Rows } from '../../kit/keyset-table.tsx'
import { pathOf } from '../../kit/match-path.ts'
import { useAnswer } from '../../kit/use-answer.ts'
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

export function LatestDeliveries({ endpointId }: { readonly endpointId: string }) {
  const { value, problem, again } = useAnswer(
    `latest of ${endpointId}`,
    (call) => server.deliveries.list({ endpointId, limit: 20 }, call),
    { everyMs: 5_000 },
  )
  return (
    <Part title="Latest deliveries">
      {problem !== null && <Problem what="Deliveries could not be read" why={problem} onAgain={again} />}
      {value === null && problem === null && <Loading />}
      {value !== null && value.items.length === 0 && (
        <p class="empty">
          Nothing was sent to it yet. Publish an event of one of its topics, or send it a test event.
        </p>
      )}
      {value !== null && value.items.length > 0 && (
        <Rows label="Latest deliveries" rows={value.items} keyOf={({ id }) => id} columns={columns} />
      )}
    </Part>
  )
}
