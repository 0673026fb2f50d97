/** One event: what it says, and what became of it. */
import { useRef, useState } from 'preact/hooks'
import type { DeliveryOfEvent, EventStatus } from '../../../client/index.ts'
import { now } from '../../clock.ts'
import { DeliveryState } from '../../delivery-state.tsx'
import { ActButton } from '../../kit/act-button.tsx'
import { hrefOf, useUrlState } from '../../kit/address.ts'
import { Badge, CopyButton, Facts, Loading, PageHeading, Part, Problem } from '../../kit/detail.tsx'
import { type Column, KeysetTable } from '../../kit/keyset-table.tsx'
import { pathOf } from '../../kit/match-path.ts'
import type { PageProps } from '../../kit/page-entry.ts'
import { text } from '../../kit/url-values.ts'
import { useAnswer } from '../../kit/use-answer.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'
import { BackFill } from './back-fill.tsx'
import { Payload } from './payload.tsx'
import { timelineOf } from './timeline.ts'

const live = ['pending', 'in_flight', 'retry_scheduled']

/** Soon while something goes on; of an event for many seldom, for the answer is large. */
const whileOpen = ({ state, deliveries }: EventStatus) => {
  if (state === 'fanned_out' && !deliveries.some((one) => live.includes(one.state))) return null
  return deliveries.length > 50 ? 15_000 : 2_000
}

/** A back-fill is a job: its deliveries come a little after it was asked for. */
const afterBackFill = { everyMs: 2_000, forMs: 20_000 }

export function Page({ params: { id = '' } }: PageProps) {
  const [{ cursor }] = useUrlState({ cursor: text })
  const [isAsked, setAsked] = useState(false)
  const newUntil = useRef(0)
  const answer = useAnswer(
    `event ${id} ${cursor}`,
    (call) => server.events.get(id, { cursor: cursor === '' ? undefined : cursor }, call),
    { everyMs: (event) => (now() < newUntil.current ? afterBackFill.everyMs : whileOpen(event)) },
  )
  const { value, problem, again } = answer
  const readNew = () => {
    newUntil.current = now() + afterBackFill.forMs
    again()
  }
  const name = value === null ? '' : ` ${value.topic ?? 'of a direct send'}`
  return (
    <>
      <PageHeading
        title={`Event${name}`}
        actions={
          value === null ? undefined : (
            <ActButton
              needs="operator"
              whyNot={whyNotBackFill(value)}
              act={() => {
                setAsked(true)
                return undefined
              }}
            >
              Back-fill
            </ActButton>
          )
        }
      >
        Event{name}
      </PageHeading>
      {problem !== null && <Problem what="The event could not be read" why={problem} onAgain={again} />}
      {value === null && problem === null && <Loading />}
      {value !== null && (
        <>
          <EventFacts of={value} />
          <Payload of={value} />
          <Timeline of={value} />
          <Part title="Deliveries">
            <KeysetTable
              label="Deliveries"
              page={{
                problem: null,
                again,
                value: { items: value.deliveries, nextCursor: value.nextCursor },
              }}
              keyOf={(one) => one.id}
              columns={columns}
              empty={whyNone(value)}
            />
          </Part>
        </>
      )}
      {isAsked && value !== null && <BackFill of={value} onDone={readNew} onClose={() => setAsked(false)} />}
    </>
  )
}

function whyNotBackFill({ topic, expungedAt }: EventStatus): string | null {
  if (topic === null) return 'A direct send has no topic that a subscription could want.'
  return expungedAt === null ? null : 'Its payload was expunged.'
}

function EventFacts({ of }: { readonly of: EventStatus }) {
  return (
    <Part title="What it is">
      <Facts
        of={[
          [
            'Id',
            <>
              <code>{of.id}</code> <CopyButton label="id" text={of.id} />
            </>,
          ],
          ['Topic', of.topic],
          [
            'State',
            of.state === 'accepted' ? 'accepted; its deliveries are being made' : 'its deliveries are made',
          ],
          ['Accepted', <Time key="accepted" at={of.createdAt} />],
          ['For later', of.deliverAt && <Time at={of.deliverAt} />],
          ['Size of the payload', `${of.payloadBytes} bytes`],
          ['Ordering key', of.orderingKey],
          ['Idempotency key', of.hasIdempotencyKey ? 'given' : 'none'],
          ['Published with the key', of.producerKeyId && <code>{of.producerKeyId}</code>],
          [
            'Subscriptions whose filter did not let it through',
            of.filteredSubscriptions === 0 ? null : String(of.filteredSubscriptions),
          ],
          ['Trace', of.traceContext && <code>{of.traceContext.traceparent}</code>],
          ['Sent to', of.request && `${of.request.method} ${of.request.url}`],
        ]}
      />
      <h3>Metadata</h3>
      {Object.keys(of.metadata).length === 0 ? (
        <p class="hint">None.</p>
      ) : (
        <Facts of={Object.entries(of.metadata)} />
      )}
    </Part>
  )
}

function Timeline({ of }: { readonly of: EventStatus }) {
  const { entries, leftOut } = timelineOf(of)
  return (
    <Part title="Timeline">
      <ol class="timeline">
        {entries.map(({ at, text: said, is, delivery }, index) => (
          <li key={index}>
            <Time at={at} /> <Badge is={is}>{said}</Badge>{' '}
            {delivery !== null && (
              <a href={hrefOf(pathOf('deliveries', delivery.id))}>
                {delivery.endpointId ?? 'the URL of the send'}
              </a>
            )}
          </li>
        ))}
      </ol>
      {leftOut > 0 && <p class="hint">{leftOut} later ones are not shown; each delivery has its own.</p>}
      {of.nextCursor !== '' && <p class="hint">Of the deliveries on this page of the list below.</p>}
    </Part>
  )
}

const columns: readonly Column<DeliveryOfEvent>[] = [
  {
    title: 'Delivery',
    cell: (one) => <a href={hrefOf(pathOf('deliveries', one.id))}>{one.id}</a>,
  },
  { title: 'State', cell: (one) => <DeliveryState of={one} /> },
  {
    title: 'Endpoint',
    cell: ({ endpointId }) =>
      endpointId === null ? '–' : <a href={hrefOf(pathOf('endpoints', endpointId))}>{endpointId}</a>,
  },
  { title: 'Attempts', isNumber: true, cell: (one) => one.attemptCount },
  { title: 'Answer', cell: (one) => one.lastHttpStatus ?? one.errorClass ?? '–' },
  {
    title: 'Next attempt',
    cell: (one) => (one.nextAttemptAt === null ? '–' : <Time at={one.nextAttemptAt} />),
  },
]

function whyNone({ state, filteredSubscriptions }: EventStatus): string {
  if (state === 'accepted') return 'None yet: they are being made.'
  if (filteredSubscriptions > 0) return 'None: no filter of a subscription let it through.'
  return 'None: no subscription wanted its topic. Back-fill it to an endpoint that wants it now.'
}
