/** Where events go. */
import type { Endpoint } from '../../client/index.ts'
import { hrefOf } from '../kit/address.ts'
import { pathOf } from '../kit/match-path.ts'
import { t } from './locales.ts'
import { Badge, Heading, Shown, Table, Time } from './parts.tsx'
import { useSession } from './session.tsx'
import { PageButtons, usePages } from './use-pages.tsx'

export function EndpointsPage() {
  const { can } = useSession()
  const list = usePages('endpoints', (server, query) => server.endpoints.list(query))
  const add = can('manage_endpoints') ? <a href={hrefOf('endpoints/new')}>{t('addEndpoint')}</a> : undefined
  return (
    <>
      <Heading actions={add}>{t('endpoints')}</Heading>
      <Shown of={list}>
        {({ items: endpoints }) =>
          endpoints.length === 0 ? (
            <p class="empty">{t('endpointsEmpty')}</p>
          ) : (
            <Table
              label={t('endpoints')}
              titles={[t('url'), t('events'), t('state')]}
              rows={endpoints.map((endpoint) => [
                endpoint.id,
                <a key="url" href={hrefOf(pathOf('endpoints', endpoint.id))}>
                  <bdi>{endpoint.url}</bdi>
                  {endpoint.description !== '' && <p class="hint">{endpoint.description}</p>}
                </a>,
                <bdi key="events">{eventsOf(endpoint)}</bdi>,
                <EndpointState key="state" of={endpoint} />,
              ])}
            />
          )
        }
      </Shown>
      <PageButtons of={list} />
    </>
  )
}

export function eventsOf({ topics }: Endpoint): string {
  if (topics === null) return t('none')
  return topics.includes('*') ? t('allEvents') : topics.join(', ')
}

export function EndpointState({ of }: { readonly of: Endpoint }) {
  const isFailing = of.state === 'active' && of.failingSince !== null
  const isGood = of.state === 'active' && !isFailing
  return (
    <>
      <Badge is={isGood ? 'good' : 'bad'}>{isFailing ? t('failing') : t(of.state)}</Badge>
      {of.failingSince !== null && (
        <p class="hint">
          {t('failingSince')} <Time at={of.failingSince} />
        </p>
      )}
    </>
  )
}
