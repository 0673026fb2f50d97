/** Events as they come, with a button that holds them still. */
import { hrefOf, useUrlState } from '../../kit/address.ts'
import { Part } from '../../kit/detail.tsx'
import { type Column, Rows } from '../../kit/keyset-table.tsx'
import { pathOf } from '../../kit/match-path.ts'
import { flag } from '../../kit/url-values.ts'
import { Time } from '../../times.tsx'
import { type TailItem, useTail } from './use-tail.ts'

const shape = { paused: flag }

export function LiveTail({ topicPattern }: { readonly topicPattern: string }) {
  const [{ paused }, set] = useUrlState(shape)
  const { items, isConnected, problem, again } = useTail(topicPattern, paused)
  return (
    <Part title="As they come">
      <p class="bar">
        <button type="button" aria-pressed={paused} onClick={() => set({ paused: !paused }, 'replace')}>
          {paused ? 'Go on' : 'Pause'}
        </button>
        <span role="status" class="hint">
          {paused
            ? 'Paused: what comes meanwhile is in the list below.'
            : problem === null
              ? isConnected
                ? 'Live: whatever is published for this tenant and topic is shown here at once.'
                : 'Connecting …'
              : `Not live: ${problem}`}
        </span>
        {problem !== null && !paused && (
          <button type="button" onClick={again}>
            Try again
          </button>
        )}
      </p>
      {items.length > 0 && <Rows label="As they come" rows={items} keyOf={keyOf} columns={columns} />}
    </Part>
  )
}

function keyOf(item: TailItem): string {
  return item.kind === 'event' ? item.eventId : `missed ${item.at}`
}

const whyMissed: Readonly<Record<string, string>> = {
  reconnected: 'the connection was lost for a while; the list below has what came',
  too_many: 'more came than anybody can read; the list below has it',
  other_process: 'another process of the server told less than happened; the list below has it',
}

const columns: readonly Column<TailItem>[] = [
  {
    title: 'Event',
    cell: (item) =>
      item.kind === 'event' ? (
        <a href={hrefOf(pathOf('events', item.eventId))}>{item.topic ?? 'a direct send'}</a>
      ) : (
        <em>
          {item.count ?? 'Some'} missed: {whyMissed[item.reason] ?? item.reason}
        </em>
      ),
  },
  { title: 'Ordering key', cell: (item) => (item.kind === 'event' && item.orderingKey) || '–' },
  { title: 'Deliveries', isNumber: true, cell: (item) => (item.kind === 'event' ? item.deliveries : '') },
  { title: 'Accepted', cell: ({ at }) => <Time at={at} /> },
]
