/** What was published, newest first, and what comes in while somebody looks. */
import { useState } from 'preact/hooks'
import type { Event, EventPage } from '../../../client/index.ts'
import { ActButton } from '../../kit/act-button.tsx'
import { hrefOf, useUrlState } from '../../kit/address.ts'
import { PageHeading, Part } from '../../kit/detail.tsx'
import { type Column, KeysetTable, usePage } from '../../kit/keyset-table.tsx'
import { pathOf } from '../../kit/match-path.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'
import { eventFilterShape, isFiltered, isSearched, toListQuery } from './event-filter.ts'
import { EventFilters } from './filters.tsx'
import { LiveTail } from './live-tail.tsx'
import { PublishDialog } from './publish-dialog.tsx'

/** While somebody looks; what is searched for costs the server more. */
const againMs = 5_000
const searchedAgainMs = 30_000

export function Page() {
  const [values, set] = useUrlState(eventFilterShape)
  const [isPublishing, setPublishing] = useState(false)
  const query = toListQuery(values)
  const page = usePage<Event, EventPage>(
    `events ${JSON.stringify(query)}`,
    (of, call) => server.events.list({ ...of, ...query }, call),
    { everyMs: isSearched(values) ? searchedAgainMs : againMs },
  )
  const searchedUntil = page.value?.searchedUntil ?? null
  return (
    <>
      <PageHeading
        actions={
          <ActButton
            needs="operator"
            act={() => {
              setPublishing(true)
              return undefined
            }}
          >
            Publish a test event
          </ActButton>
        }
      >
        Events
      </PageHeading>
      <EventFilters values={values} set={set} />
      <LiveTail topicPattern={values.topic} />
      <Part title="Newest first">
        <KeysetTable
          label="Events"
          page={page}
          keyOf={({ id }) => id}
          columns={columns}
          empty={
            searchedUntil !== null ? (
              'None so far.'
            ) : isFiltered(values) ? (
              <>
                None is like this. <a href={hrefOf('events')}>Show all</a>
              </>
            ) : (
              'Nothing was published yet. Publish a test event here, or one from your program.'
            )
          }
        />
        {searchedUntil !== null && (
          <p class="hint">
            Searched until <Time at={searchedUntil} />: a page reads so much and no more. The next page looks
            further back.
          </p>
        )}
      </Part>
      {isPublishing && <PublishDialog onDone={page.again} onClose={() => setPublishing(false)} />}
    </>
  )
}

const columns: readonly Column<Event>[] = [
  {
    title: 'Event',
    cell: (one) => <a href={hrefOf(pathOf('events', one.id))}>{one.topic ?? 'a direct send'}</a>,
  },
  { title: 'Id', cell: ({ id }) => <code>{id}</code> },
  { title: 'Ordering key', cell: ({ orderingKey }) => orderingKey ?? '–' },
  {
    title: 'Metadata',
    cell: ({ metadata }) =>
      Object.entries(metadata)
        .map(([name, value]) => `${name}: ${value}`)
        .join(', ') || '–',
  },
  { title: 'Bytes', isNumber: true, cell: ({ payloadBytes }) => payloadBytes },
  { title: 'Accepted', cell: ({ createdAt }) => <Time at={createdAt} /> },
]
