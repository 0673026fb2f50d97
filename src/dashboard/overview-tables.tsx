import type { ComponentChildren } from 'preact'
import type { DeadLetter, Endpoint, Event } from '../client/index.ts'
import { troubleOf } from './endpoint-trouble.ts'
import { Time } from './times.tsx'

const rowsAtMost = 10

interface TableProps {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly { readonly id: string; readonly cells: readonly ComponentChildren[] }[]
  /** What there is to do or to know when there are none. */
  readonly empty: string
}

function Table({ title, columns, rows, empty }: TableProps) {
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      {rows.length === 0 ? (
        <p class="empty">{empty}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: wider than a narrow screen, it is scrolled with the arrows
        <section class="scroll" tabIndex={0} aria-label={`${title}, table`}>
          <table>
            <thead>
              <tr>
                {columns.map((column) => (
                  <th key={column} scope="col">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, rowsAtMost).map(({ id, cells }) => (
                <tr key={id}>
                  {cells.map((cell, index) => (
                    <td key={columns[index]}>{cell}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  )
}

interface TroubledProps {
  readonly endpoints: readonly Endpoint[]
  readonly hasAny: boolean
}

export function TroubledEndpoints({ endpoints, hasAny }: TroubledProps) {
  return (
    <Table
      title="Endpoints in trouble"
      columns={['Endpoint', 'State', 'Why', 'Since', 'Sent to again']}
      rows={endpoints.map((endpoint) => {
        const since = endpoint.disabledAt ?? endpoint.pausedAt ?? endpoint.failingSince
        return {
          id: endpoint.id,
          cells: [
            endpoint.uid ?? endpoint.url,
            endpoint.state,
            troubleOf(endpoint),
            since === null ? '–' : <Time key="since" at={since} />,
            endpoint.resumesAt === null ? '–' : <Time key="again" at={endpoint.resumesAt} />,
          ],
        }
      })}
      empty={
        hasAny
          ? 'None: every endpoint takes what is sent to it.'
          : 'There is no endpoint yet. Make one with "outhook endpoints create" or POST /v1/endpoints.'
      }
    />
  )
}

interface DeadLettersProps {
  readonly deadLetters: readonly DeadLetter[]
  readonly endpoints: readonly Endpoint[]
}

export function LatestDeadLetters({ deadLetters, endpoints }: DeadLettersProps) {
  const urls = new Map(endpoints.map(({ id, uid, url }) => [id, uid ?? url]))
  return (
    <Table
      title="Latest dead letters"
      columns={['Delivery', 'Topic', 'Endpoint', 'Why', 'Attempts', 'Given up']}
      rows={deadLetters.map((letter) => ({
        id: letter.deliveryId,
        cells: [
          <code key="id">{letter.deliveryId}</code>,
          letter.topic ?? '–',
          letter.endpointId === null ? '–' : (urls.get(letter.endpointId) ?? letter.endpointId),
          letter.finalError === letter.lastError || letter.lastError === null
            ? letter.finalError
            : `${letter.finalError}: ${letter.lastError}`,
          letter.attemptCount,
          <Time key="at" at={letter.deadAt} />,
        ],
      }))}
      empty="None: nothing was given up."
    />
  )
}

export function LatestEvents({ events }: { readonly events: readonly Event[] }) {
  return (
    <Table
      title="Latest events"
      columns={['Event', 'Topic', 'Published']}
      rows={events.map((event) => ({
        id: event.eventId,
        cells: [<code key="id">{event.eventId}</code>, event.topic, <Time key="at" at={event.createdAt} />],
      }))}
      empty='No event was published yet. Publish one with "outhook publish" or POST /v1/events.'
    />
  )
}
