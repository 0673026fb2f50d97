import type { EventTypeCreate } from '../../../client/index.ts'
import { goTo } from '../../kit/address.ts'
import { PageHeading } from '../../kit/detail.tsx'
import { Fields } from '../../kit/fields.tsx'
import { Form, type FormValues } from '../../kit/form.tsx'
import { readChanges } from '../../kit/form-fields.ts'
import { pathOf } from '../../kit/match-path.ts'
import { useTell } from '../../kit/results.tsx'
import { useSession } from '../../kit/session.ts'
import { server } from '../../server.ts'
import { newEventTypeFields } from './event-type-fields.ts'

export function Page() {
  const { call, tenant } = useSession()
  const tell = useTell()
  const create = async (values: FormValues) => {
    const body = { name: values('name'), ...readChanges(newEventTypeFields, null, values) }
    const made = await server.eventTypes.create(body as EventTypeCreate, call)
    tell('The event type was made.')
    goTo(pathOf('event-types', made.name))
  }
  return (
    <>
      <PageHeading>New event type</PageHeading>
      <p class="hint">
        {tenant === undefined
          ? 'It holds for every tenant that has none of its own with this name.'
          : 'It holds for this tenant alone, in place of the server’s of this name.'}
      </p>
      <Form submit="Make the event type" needs="admin" onSubmit={create} onCancel={() => goTo('event-types')}>
        <Fields fields={newEventTypeFields} of={null} />
      </Form>
    </>
  )
}
