/** One subscription: what it lets through, and what it would have of the latest events. */
import { useState } from 'preact/hooks'
import type { Subscription, SubscriptionPreviewed } from '../../../client/index.ts'
import { ActButton } from '../../kit/act-button.tsx'
import { goTo, hrefOf } from '../../kit/address.ts'
import { CopyButton, Facts, JsonBlock, Loading, PageHeading, Part, Problem } from '../../kit/detail.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Fields } from '../../kit/fields.tsx'
import { Form, type FormValues } from '../../kit/form.tsx'
import { readChanges } from '../../kit/form-fields.ts'
import { Rows } from '../../kit/keyset-table.tsx'
import { pathOf } from '../../kit/match-path.ts'
import type { PageProps } from '../../kit/page-entry.ts'
import { useTell } from '../../kit/results.tsx'
import { useSession } from '../../kit/session.ts'
import { useAnswer } from '../../kit/use-answer.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'
import { SubscriptionState } from './list.tsx'
import { subscriptionFields } from './subscription-fields.ts'

export function Page({ params: { id = '' } }: PageProps) {
  const [isAsked, setAsked] = useState(false)
  const { value, problem, again, put } = useAnswer(`subscription ${id}`, (call) =>
    server.subscriptions.get(id, { includeDeleted: true }, call),
  )
  const isLive = value !== null && value.deletedAt === null
  return (
    <>
      <PageHeading
        title="Subscription"
        actions={
          isLive && (
            <ActButton
              needs="admin"
              class="danger"
              act={() => {
                setAsked(true)
                return undefined
              }}
            >
              Delete
            </ActButton>
          )
        }
      >
        Subscription {value?.topicPatterns.join(', ')}
      </PageHeading>
      {problem !== null && (
        <Problem what="The subscription could not be read" why={problem} onAgain={again} />
      )}
      {value === null && problem === null && <Loading />}
      {value !== null && <SubscriptionFacts of={value} />}
      {isLive && <Preview of={value} />}
      {isLive && <Edit key={value.version} of={value} onChange={put} />}
      {isAsked && value !== null && <Delete of={value} onClose={() => setAsked(false)} />}
    </>
  )
}

function SubscriptionFacts({ of }: { readonly of: Subscription }) {
  const { policy, from } = of.effectiveRetryPolicy
  return (
    <Part title="What it is">
      <Facts
        of={[
          ['State', <SubscriptionState key="state" of={of} />],
          [
            'Id',
            <>
              <code>{of.id}</code> <CopyButton label="id" text={of.id} />
            </>,
          ],
          [
            'Endpoint',
            <a key="endpoint" href={hrefOf(pathOf('endpoints', of.endpointId))}>
              {of.endpointId}
            </a>,
          ],
          [
            'Order',
            of.ordered ? (
              <a href={hrefOf('ordered-keys', { subscription: of.id })}>
                one after the other for each ordering key
              </a>
            ) : (
              'none'
            ),
          ],
          ['Retry policy', `${typeof policy === 'string' ? policy : 'one of its own'} (from the ${from})`],
          ['Made', <Time key="made" at={of.createdAt} />],
          ['Changed', <Time key="changed" at={of.updatedAt} />],
          ['Deleted', of.deletedAt && <Time at={of.deletedAt} />],
        ]}
      />
      {of.filter !== null && <JsonBlock label="Filter" value={of.filter} />}
    </Part>
  )
}

function Preview({ of }: { readonly of: Subscription }) {
  const { call } = useSession()
  const [seen, setSeen] = useState<SubscriptionPreviewed | null>(null)
  const look = async () => {
    const { filter, topicPatterns } = of
    setSeen(await server.subscriptions.preview({ filter, topicPatterns, limit: 20 }, call))
    return undefined
  }
  return (
    <Part title="What it would get">
      <ActButton needs="viewer" act={look}>
        Try it on the latest events
      </ActButton>
      <div role="status">
        {seen !== null && (
          <p>
            {seen.passed} of {seen.items.length} events of its topics pass; {seen.lookedAt} events were looked
            at.
          </p>
        )}
      </div>
      {seen !== null && seen.items.length > 0 && (
        <Rows
          label="Latest events"
          rows={seen.items}
          keyOf={({ eventId }) => eventId ?? ''}
          columns={[
            {
              title: 'Event',
              cell: ({ eventId, topic }) => (
                <a href={hrefOf(pathOf('events', eventId ?? ''))}>{topic ?? eventId}</a>
              ),
            },
            { title: 'Passes', cell: ({ passes }) => (passes ? 'yes' : 'no') },
            {
              title: 'Why not',
              cell: ({ reason, failed }) =>
                failed === null
                  ? (reason?.replaceAll('_', ' ') ?? '–')
                  : `${failed.path === '' ? 'the payload' : failed.path} is ${failed.found ?? 'not there'}`,
            },
            {
              title: 'Published',
              cell: ({ createdAt }) => (createdAt === null ? '–' : <Time at={createdAt} />),
            },
          ]}
        />
      )}
    </Part>
  )
}

interface EditProps {
  readonly of: Subscription
  readonly onChange: (changed: Subscription) => void
}

function Edit({ of, onChange }: EditProps) {
  const { call } = useSession()
  const tell = useTell()
  const save = async (values: FormValues) => {
    const changes = readChanges(subscriptionFields, of, values)
    if (Object.keys(changes).length === 0) return tell('Nothing was changed.')
    onChange(await server.subscriptions.update(of.id, changes, { ...call, ifMatch: of.version }))
    tell('The subscription was changed.')
  }
  return (
    <Part title="Edit">
      <Form submit="Save" needs="admin" onSubmit={save}>
        <Fields fields={subscriptionFields} of={of} />
      </Form>
    </Part>
  )
}

function Delete({ of, onClose }: { readonly of: Subscription; readonly onClose: () => void }) {
  const { call } = useSession()
  const tell = useTell()
  const remove = async () => {
    await server.subscriptions.delete(of.id, call)
    tell('The subscription was deleted.')
    goTo('subscriptions')
  }
  return (
    <Dialog title="Delete the subscription" onClose={onClose}>
      <Form submit="Delete" needs="admin" onSubmit={remove} onCancel={onClose}>
        <p>
          This cannot be taken back. Events of {of.topicPatterns.join(', ')} no longer go to the endpoint by
          it, and what waits for it is cancelled.
        </p>
      </Form>
    </Dialog>
  )
}
