/** Changes an endpoint. Only what was touched is sent, and only if nobody else has changed it meanwhile. */
import type { Endpoint } from '../../../client/index.ts'
import { goTo } from '../../kit/address.ts'
import { Loading, PageHeading, Problem } from '../../kit/detail.tsx'
import { Fields } from '../../kit/fields.tsx'
import { Form, type FormValues } from '../../kit/form.tsx'
import { readChanges } from '../../kit/form-fields.ts'
import { pathOf } from '../../kit/match-path.ts'
import type { PageProps } from '../../kit/page-entry.ts'
import { useTell } from '../../kit/results.tsx'
import { useSession } from '../../kit/session.ts'
import { useAnswer } from '../../kit/use-answer.ts'
import { server } from '../../server.ts'
import { endpointFields } from './endpoint-fields.ts'

export function Page({ params: { id = '' } }: PageProps) {
  const { value, problem, again } = useAnswer(`endpoint ${id}`, (call) => server.endpoints.get(id, {}, call))
  return (
    <>
      <PageHeading>Edit endpoint {value?.uid ?? id}</PageHeading>
      {problem !== null && <Problem what="The endpoint could not be read" why={problem} onAgain={again} />}
      {value === null && problem === null && <Loading />}
      {value !== null && <EditForm key={value.version} endpoint={value} />}
    </>
  )
}

function EditForm({ endpoint }: { readonly endpoint: Endpoint }) {
  const { call } = useSession()
  const tell = useTell()
  const back = () => goTo(pathOf('endpoints', endpoint.id))
  const save = async (values: FormValues) => {
    const changes = readChanges(endpointFields, endpoint, values)
    if (Object.keys(changes).length === 0) return back()
    await server.endpoints.update(endpoint.id, changes, { ...call, ifMatch: endpoint.version })
    tell('The endpoint was changed.')
    back()
  }
  return (
    <Form submit="Save" needs="admin" onSubmit={save} onCancel={back}>
      <Fields fields={endpointFields} of={endpoint} />
    </Form>
  )
}
