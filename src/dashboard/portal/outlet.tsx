/** Which page an address below /portal/ means. */
import type { ComponentType } from 'preact'
import { useAddress } from '../kit/address.ts'
import { matchPath } from '../kit/match-path.ts'
import { ActivityPage } from './activity.tsx'
import { DeliveriesPage } from './deliveries.tsx'
import { DeliveryPage } from './delivery.tsx'
import { EndpointPage } from './endpoint.tsx'
import { EndpointsPage } from './endpoints.tsx'
import { t } from './locales.ts'
import { NewEndpointPage } from './new-endpoint.tsx'
import { Heading } from './parts.tsx'

const pages: readonly (readonly [path: string, page: ComponentType<{ readonly id: string }>])[] = [
  ['', EndpointsPage],
  ['endpoints/new', NewEndpointPage],
  ['endpoints/:id', EndpointPage],
  ['deliveries', DeliveriesPage],
  ['deliveries/:id', DeliveryPage],
  ['activity', ActivityPage],
]

export function Outlet() {
  const { path } = useAddress()
  for (const [pattern, Page] of pages) {
    const params = matchPath(pattern, path)
    if (params !== null) return <Page key={path} id={params.id ?? ''} />
  }
  return <Heading>{t('noSuchPage')}</Heading>
}
