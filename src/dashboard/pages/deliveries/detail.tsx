/** One delivery: how it is and why, what comes next, each attempt, and what can be done. */
import type { DeliveryDetail } from '../../../client/index.ts'
import { DeliveryState } from '../../delivery-state.tsx'
import { hrefOf } from '../../kit/address.ts'
import { hasEnded } from '../../kit/delivery-states.ts'
import { CopyButton, Facts, Loading, PageHeading, Part, Problem } from '../../kit/detail.tsx'
import { pathOf } from '../../kit/match-path.ts'
import { ExactTimes } from '../../kit/moment.tsx'
import type { PageProps } from '../../kit/page-entry.ts'
import { useAnswer } from '../../kit/use-answer.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'
import { DeliveryActions } from './actions.tsx'
import { Attempts } from './attempts.tsx'
import { describeDelivery } from './delivery-words.ts'

/** What has ended stays as it is, until somebody sends it again. */
const untilEnded = (delivery: DeliveryDetail) => (hasEnded(delivery) ? null : 2_000)

export function Page({ params: { id = '' } }: PageProps) {
  const { value, problem, again } = useAnswer(`delivery ${id}`, (call) => server.deliveries.get(id, call), {
    everyMs: untilEnded,
  })
  const name = value === null ? '' : ` of ${value.topic ?? 'a direct send'}`
  return (
    <>
      <PageHeading
        title={`Delivery${name}`}
        actions={value === null ? undefined : <DeliveryActions delivery={value} onDone={again} />}
      >
        Delivery{name}
      </PageHeading>
      {problem !== null && <Problem what="The delivery could not be read" why={problem} onAgain={again} />}
      {value === null && problem === null && <Loading />}
      {value !== null && (
        <>
          <State of={value} />
          <Attempts of={value} />
        </>
      )}
    </>
  )
}

function State({ of }: { readonly of: DeliveryDetail }) {
  const { now, next, todo } = describeDelivery(of)
  const { endpointId, subscriptionId, headDeliveryId, eventId } = of
  return (
    <Part title="How it is">
      <DeliveryState of={of} />
      <p role="status">{now}</p>
      {next !== null && (
        <p>
          {next}{' '}
          <ExactTimes.Provider value={true}>
            {of.nextAttemptAt !== null && <Time at={of.nextAttemptAt} />}
          </ExactTimes.Provider>
        </p>
      )}
      {todo !== null && <p class="hint">What to do: {todo}</p>}
      <Facts
        of={[
          [
            'Id',
            <>
              <code>{of.id}</code> <CopyButton label="id" text={of.id} />
            </>,
          ],
          [
            'Event',
            <a key="event" href={hrefOf(pathOf('events', eventId))}>
              {eventId}
            </a>,
          ],
          ['Topic', of.topic],
          ['Endpoint', endpointId && <a href={hrefOf(pathOf('endpoints', endpointId))}>{endpointId}</a>],
          [
            'Subscription',
            subscriptionId && <a href={hrefOf(pathOf('subscriptions', subscriptionId))}>{subscriptionId}</a>,
          ],
          ['Ordering key', of.orderingKey],
          [
            'Goes first',
            headDeliveryId && <a href={hrefOf(pathOf('deliveries', headDeliveryId))}>{headDeliveryId}</a>,
          ],
          ['Attempts', String(of.attemptCount)],
          ['Made', <Time key="made" at={of.createdAt} />],
          ['Changed', <Time key="changed" at={of.updatedAt} />],
        ]}
      />
    </Part>
  )
}
