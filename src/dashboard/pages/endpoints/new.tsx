/** A new endpoint. Its secret is shown once it is made. */
import { useState } from 'preact/hooks'
import type { CreatedEndpoint, EndpointCreate } from '../../../client/index.ts'
import { goTo, hrefOf } from '../../kit/address.ts'
import { CodeBlock, PageHeading } from '../../kit/detail.tsx'
import { Fields } from '../../kit/fields.tsx'
import { Form, type FormValues } from '../../kit/form.tsx'
import { readChanges } from '../../kit/form-fields.ts'
import { pathOf } from '../../kit/match-path.ts'
import { useSession } from '../../kit/session.ts'
import { server } from '../../server.ts'
import { newEndpointFields } from './endpoint-fields.ts'

export function Page() {
  const { call } = useSession()
  const [made, setMade] = useState<CreatedEndpoint | null>(null)
  const create = async (values: FormValues) => {
    const input = readChanges(newEndpointFields, null, values) as unknown as EndpointCreate
    const endpoint = await server.endpoints.create({ ...input, urls: input.urls ?? [] }, call)
    // One that was there already under this uid shows no secret.
    if ('secret' in endpoint) setMade(endpoint)
    else goTo(pathOf('endpoints', endpoint.id))
  }
  if (made !== null) return <Made endpoint={made} />
  return (
    <>
      <PageHeading>New endpoint</PageHeading>
      <Form submit="Make the endpoint" needs="admin" onSubmit={create} onCancel={() => goTo('endpoints')}>
        <Fields fields={newEndpointFields} of={null} />
      </Form>
    </>
  )
}

function Made({ endpoint }: { readonly endpoint: CreatedEndpoint }) {
  return (
    <>
      <PageHeading>The endpoint was made</PageHeading>
      {endpoint.secret !== '' && (
        <>
          <p>
            Give its receiver this secret, by which it knows that requests are yours. Afterwards it is shown
            only to admins who ask for it, which is noted.
          </p>
          <CodeBlock label="Secret" text={endpoint.secret} />
        </>
      )}
      {endpoint.publicKey !== null && <CodeBlock label="Public key" text={endpoint.publicKey} />}
      <p>
        <a href={hrefOf(pathOf('endpoints', endpoint.id))}>Go to the endpoint and send it a test event</a>
      </p>
    </>
  )
}
