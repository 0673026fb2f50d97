/** One event type: what it says, and what can be changed of it. */
import { useState } from 'preact/hooks'
import type { EventType } from '../../../client/index.ts'
import { ActButton } from '../../kit/act-button.tsx'
import { goTo, hrefOf } from '../../kit/address.ts'
import { Facts, JsonBlock, Loading, PageHeading, Part, Problem } from '../../kit/detail.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Fields } from '../../kit/fields.tsx'
import { Form, type FormValues } from '../../kit/form.tsx'
import { readChanges } from '../../kit/form-fields.ts'
import type { PageProps } from '../../kit/page-entry.ts'
import { useTell } from '../../kit/results.tsx'
import { useSession } from '../../kit/session.ts'
import { useAnswer } from '../../kit/use-answer.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'
import { eventTypeFields } from './event-type-fields.ts'
import { PayloadCheck } from './list.tsx'

export function Page({ params: { name = '' } }: PageProps) {
  const { call, tenant } = useSession()
  const [isAsked, setAsked] = useState(false)
  const { value, problem, again, put } = useAnswer(`event type ${tenant} ${name}`, (options) =>
    server.eventTypes.get(name, options),
  )
  // Of a tenant the server's is only shown: a change would be everybody's.
  const whyNot =
    value !== null && tenant !== undefined && value.tenantId === null
      ? 'it is the server’s; make one of this name for the tenant, which holds in its place'
      : null
  const deprecate = async () => {
    if (value === null) return undefined
    const deprecated = !value.deprecated
    put(await server.eventTypes.update(name, { deprecated }, { ...call, ifMatch: value.version }))
    return deprecated ? 'It is deprecated now.' : 'It is not deprecated any more.'
  }
  return (
    <>
      <PageHeading
        title={`Event type ${name}`}
        actions={
          value !== null && (
            <>
              <ActButton needs="admin" whyNot={whyNot} act={deprecate}>
                {value.deprecated ? 'No longer deprecated' : 'Deprecate'}
              </ActButton>
              <ActButton
                needs="admin"
                whyNot={whyNot}
                class="danger"
                act={() => {
                  setAsked(true)
                  return undefined
                }}
              >
                Delete
              </ActButton>
            </>
          )
        }
      >
        Event type {name}
      </PageHeading>
      {problem !== null && <Problem what="The event type could not be read" why={problem} onAgain={again} />}
      {value === null && problem === null && <Loading />}
      {value !== null && <What of={value} />}
      {value !== null && whyNot === null && <Edit key={value.version} of={value} onChange={put} />}
      {isAsked && value !== null && <Delete of={value} onClose={() => setAsked(false)} />}
    </>
  )
}

function What({ of }: { readonly of: EventType }) {
  const { description, group, schema, example } = of
  return (
    <Part title="What it is">
      <Facts
        of={[
          ['Payloads', <PayloadCheck key="payloads" of={of} />],
          ['Description', description],
          [
            'Group',
            group && (
              <a key="group" href={hrefOf('event-types', { group })}>
                {group}
              </a>
            ),
          ],
          ['Of', of.tenantId === null ? 'the server, for every tenant' : 'the tenant alone'],
          ['Made', <Time key="made" at={of.createdAt} />],
          ['Changed', <Time key="changed" at={of.updatedAt} />],
        ]}
      />
      {example !== null && <JsonBlock label="Example" value={example} />}
      {schema !== null && <JsonBlock label="JSON Schema" value={schema} />}
    </Part>
  )
}

interface EditProps {
  readonly of: EventType
  readonly onChange: (changed: EventType) => void
}

function Edit({ of, onChange }: EditProps) {
  const { call } = useSession()
  const tell = useTell()
  const save = async (values: FormValues) => {
    const changes = readChanges(eventTypeFields, of, values)
    if (Object.keys(changes).length === 0) return tell('Nothing was changed.')
    onChange(await server.eventTypes.update(of.name, changes, { ...call, ifMatch: of.version }))
    tell('The event type was changed.')
  }
  return (
    <Part title="Edit">
      <Form submit="Save" needs="admin" onSubmit={save}>
        <Fields fields={eventTypeFields} of={of} />
      </Form>
    </Part>
  )
}

function Delete({ of, onClose }: { readonly of: EventType; readonly onClose: () => void }) {
  const { call } = useSession()
  const tell = useTell()
  const remove = async () => {
    await server.eventTypes.delete(of.name, { ...call, ifMatch: of.version })
    tell('The event type was deleted.')
    goTo('event-types')
  }
  return (
    <Dialog title="Delete the event type" onClose={onClose}>
      <Form submit="Delete" needs="admin" onSubmit={remove} onCancel={onClose}>
        <p>
          This cannot be taken back. Events of the topic are published as before, and their payloads are not
          checked by it any more.
        </p>
      </Form>
    </Dialog>
  )
}
