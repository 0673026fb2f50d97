/** Ordering keys with something in them, and what holds them up. */
import { useState } from 'preact/hooks'
import type { OrderedKey } from '../../../client/index.ts'
import { ActButton } from '../../kit/act-button.tsx'
import { hrefOf, useUrlState } from '../../kit/address.ts'
import { Badge, PageHeading } from '../../kit/detail.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { durationText } from '../../kit/duration-text.ts'
import { type Column, KeysetTable, usePage } from '../../kit/keyset-table.tsx'
import { pathOf } from '../../kit/match-path.ts'
import { useSession } from '../../kit/session.ts'
import { oneOf, text } from '../../kit/url-values.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'
import { SkipForm } from './skip-form.tsx'

const shape = { show: oneOf(['all', 'blocked', 'active']), subscription: text, key: text, cursor: text }

export function Page() {
  const { call } = useSession()
  const [{ show, subscription, key }, set] = useUrlState(shape)
  const [skipped, setSkipped] = useState<OrderedKey | null>(null)
  const page = usePage(
    `ordered keys ${show} ${subscription} ${key}`,
    (query, options) =>
      server.orderedKeys.list(
        {
          ...query,
          blocked: show === 'all' ? undefined : show === 'blocked',
          subscriptionId: subscription === '' ? undefined : subscription,
          orderingKey: key === '' ? undefined : key,
        },
        options,
      ),
    { everyMs: 5_000 },
  )
  const replay = async ({ headDeliveryId }: OrderedKey) => {
    await server.deadLetters.replay(headDeliveryId, call)
    page.again()
    return 'Its head is sent again; what is behind it follows.'
  }
  return (
    <>
      <PageHeading>Ordered keys</PageHeading>
      <div class="bar filters">
        <label>
          Show{' '}
          <select
            value={show}
            onChange={({ currentTarget }) => set({ show: currentTarget.value as typeof show, cursor: '' })}
          >
            <option value="all">all</option>
            <option value="blocked">blocked</option>
            <option value="active">not blocked</option>
          </select>
        </label>
        <label>
          Subscription (id){' '}
          <input
            type="search"
            value={subscription}
            onChange={({ currentTarget }) => set({ subscription: currentTarget.value.trim(), cursor: '' })}
          />
        </label>
        <label>
          Ordering key{' '}
          <input
            type="search"
            value={key}
            onChange={({ currentTarget }) => set({ key: currentTarget.value, cursor: '' })}
          />
        </label>
      </div>
      <KeysetTable
        label="Ordered keys"
        page={page}
        keyOf={(one) => `${one.subscriptionId} ${one.orderingKey}`}
        columns={columnsOf(replay, setSkipped)}
        empty={
          show === 'all' && subscription === '' && key === ''
            ? 'Nothing waits under an ordering key. Events with one, to an ordered subscription, are delivered one after the other.'
            : 'No key is like this. Choose others above.'
        }
      />
      {skipped !== null && (
        <Dialog title="Skip the head" onClose={() => setSkipped(null)}>
          <SkipForm
            deliveryId={skipped.headDeliveryId}
            orderingKey={skipped.orderingKey}
            onDone={page.again}
            onClose={() => setSkipped(null)}
          />
        </Dialog>
      )}
    </>
  )
}

function columnsOf(
  replay: (key: OrderedKey) => Promise<string>,
  skip: (key: OrderedKey) => void,
): readonly Column<OrderedKey>[] {
  return [
    { title: 'Ordering key', cell: ({ orderingKey }) => orderingKey },
    {
      title: 'State',
      cell: ({ state, blockedSince }) => (
        <>
          <Badge is={state === 'blocked' ? 'bad' : 'plain'}>{state}</Badge>
          {blockedSince !== null && (
            <p class="hint">
              <Time at={blockedSince} />
            </p>
          )}
        </>
      ),
    },
    {
      title: 'Head',
      cell: ({ headDeliveryId, headState }) => (
        <a href={hrefOf(pathOf('deliveries', headDeliveryId))}>{headState.replaceAll('_', ' ')}</a>
      ),
    },
    { title: 'Waiting, with it', isNumber: true, cell: ({ backlogCount }) => backlogCount },
    {
      title: 'Oldest behind it',
      cell: ({ oldestSuccessorAgeSec: age }) => (age === null ? '–' : durationText(age * 1000)),
    },
    {
      title: 'Endpoint',
      cell: ({ endpointId }) => <a href={hrefOf(pathOf('endpoints', endpointId))}>{endpointId}</a>,
    },
    {
      title: 'What can be done',
      cell: (one) => {
        const whyNot = one.state === 'blocked' ? null : 'Its head was not given up; it goes on by itself.'
        return (
          <div class="bar actions">
            <ActButton needs="operator" class="small" whyNot={whyNot} act={() => replay(one)}>
              Replay
            </ActButton>
            <ActButton
              needs="operator"
              class="small"
              whyNot={whyNot}
              act={() => {
                skip(one)
                return undefined
              }}
            >
              Skip
            </ActButton>
          </div>
        )
      },
    },
  ]
}
