/** An endpoint is added; the server checks its URL. What was made is shown next, with its test event and its secret. */
import { goTo } from '../kit/address.ts'
import { pathOf } from '../kit/match-path.ts'
import { EndpointForm, type EndpointValues } from './endpoint-form.tsx'
import { t } from './locales.ts'
import { Heading } from './parts.tsx'
import { useSession } from './session.tsx'

export function NewEndpointPage() {
  const { server, tell } = useSession()
  const add = async ({ topics, headers, ...values }: EndpointValues) => {
    const made = await server.endpoints.create({
      ...values,
      topics,
      ...(Object.keys(headers).length > 0 && { headers }),
    })
    goTo(pathOf('endpoints', made.id))
    tell(t('added'))
  }
  return (
    <>
      <Heading>{t('addEndpoint')}</Heading>
      <EndpointForm submit={t('addEndpoint')} of={null} onSubmit={add} onCancel={() => goTo('')} />
    </>
  )
}
