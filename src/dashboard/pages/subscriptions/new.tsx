import type { SubscriptionCreate } from '../../../client/index.ts'
import { goTo, useUrlState } from '../../kit/address.ts'
import { PageHeading } from '../../kit/detail.tsx'
import { Fields } from '../../kit/fields.tsx'
import { Form, type FormValues } from '../../kit/form.tsx'
import { readChanges } from '../../kit/form-fields.ts'
import { pathOf } from '../../kit/match-path.ts'
import { useTell } from '../../kit/results.tsx'
import { useSession } from '../../kit/session.ts'
import { text } from '../../kit/url-values.ts'
import { server } from '../../server.ts'
import { newSubscriptionFields } from './subscription-fields.ts'

export function Page() {
  const { call } = useSession()
  const tell = useTell()
  const [{ endpoint }] = useUrlState({ endpoint: text })
  const fields = newSubscriptionFields(endpoint)
  const create = async (values: FormValues) => {
    const changes = { endpointId: values('endpoint_id'), ...readChanges(fields, null, values) }
    const made = await server.subscriptions.create(changes as SubscriptionCreate, call)
    tell('The subscription was made.')
    goTo(pathOf('subscriptions', made.id))
  }
  return (
    <>
      <PageHeading>New subscription</PageHeading>
      <Form
        submit="Make the subscription"
        needs="admin"
        onSubmit={create}
        onCancel={() => goTo('subscriptions')}
      >
        <Fields fields={fields} of={null} />
      </Form>
    </>
  )
}
