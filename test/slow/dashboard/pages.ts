/**
 * Every page of the dashboard, by address: each is looked at in light and dark, wide and narrow, held against axe-core,
 * walked through by keyboard, shown with planted texts, and photographed. To add one, add a line; what it is about is
 * made in `furnish.ts`. A path of `src/dashboard/pages.ts` that no line is for fails a test.
 */
import type { Furniture } from './furnish.ts'

export interface PageAddress {
  /** Of the screenshot. */
  readonly name: string
  /** Below /dashboard/. */
  readonly path: (made: Furniture) => string
  /** What the page shows when it is there. */
  readonly shows: string | RegExp
}

export const pageAddresses: readonly PageAddress[] = [
  { name: 'overview', path: () => '', shows: 'The charts as a table' },
  { name: 'events', path: () => 'events', shows: 'Newest first' },
  { name: 'event', path: ({ event }) => `events/${event}`, shows: 'given up' },
  { name: 'delivery', path: ({ delivery }) => `deliveries/${delivery}`, shows: 'It was given up' },
  { name: 'endpoints', path: () => 'endpoints', shows: '/refuse/' },
  { name: 'endpoint-new', path: () => 'endpoints/new', shows: 'More settings' },
  { name: 'endpoint', path: ({ failingEndpoint }) => `endpoints/${failingEndpoint}`, shows: 'dead lettered' },
  { name: 'endpoint-edit', path: ({ endpoint }) => `endpoints/${endpoint}/edit`, shows: 'More settings' },
  { name: 'dead-letters', path: () => 'dead-letters', shows: 'http_422' },
  { name: 'jobs', path: () => 'jobs', shows: 'replay of dead letters' },
  { name: 'job', path: ({ job }) => `jobs/${job}`, shows: 'nothing.of.it' },
  { name: 'subscriptions', path: () => 'subscriptions', shows: 'invoices.*' },
  { name: 'subscription-new', path: () => 'subscriptions/new', shows: 'More settings' },
  {
    name: 'subscription',
    path: ({ subscription }) => `subscriptions/${subscription}`,
    shows: 'What it would get',
  },
  { name: 'ordered-keys', path: () => 'ordered-keys', shows: 'Ordering key' },
  { name: 'event-types', path: () => 'event-types', shows: 'New event type' },
  { name: 'event-type-new', path: () => 'new-event-type', shows: 'JSON Schema of the payload' },
  { name: 'event-types-import', path: () => 'import-event-types', shows: 'OpenAPI 3.1 document' },
  {
    name: 'event-type',
    path: ({ eventType }) => `event-types/${encodeURIComponent(eventType)}`,
    shows: 'What it is',
  },
  { name: 'tenants', path: () => 'tenants', shows: 'Example Ltd' },
  { name: 'tenant-new', path: () => 'tenants/new', shows: 'More settings' },
  { name: 'tenant', path: ({ tenant }) => `tenants/${tenant}`, shows: 'Metadata' },
  { name: 'keys', path: () => 'keys', shows: 'shop backend' },
  { name: 'system', path: () => 'system?defaults=true', shows: 'Settings in force' },
  { name: 'audit', path: () => 'audit', shows: 'endpoint.created' },
  { name: 'admin-tokens', path: () => 'keys?kind=tokens', shows: 'Admin tokens' },
]
