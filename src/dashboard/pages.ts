/**
 * The pages of the dashboard: the one list of them. Each is a chunk of its own, loaded when somebody goes there. To add
 * one, write a file that exports `Page`, and a line here. What pages are made of is in `kit/`:
 *
 * - `page-entry.ts`: `PageProps`, what a page is given, and what a line here says.
 * - `address.ts`: `hrefOf('endpoints/ep_1')` for a plain `<a href>`, `goTo`, and `useUrlState(shape)` for filters and
 *   selections, which live in the address (`url-values.ts`: `text`, `flag`, `list`, `oneOf([...])`).
 * - `session.ts`: `useSession()` says the role and the tenant. `use-answer.ts`: `useAnswer(key, read, { everyMs })` asks
 *   the server, with its loading and its problem.
 * - `time-span-fields.tsx`: from when until when something is listed.
 * - `keyset-table.tsx`: `usePage` and `KeysetTable` for lists with pages; `Rows` for a table alone.
 * - `detail.tsx`: `PageHeading` (each page has one; it takes the focus), `Part`, `Facts`, `CodeBlock`, `JsonBlock`, `Badge`.
 * - `times.tsx` (`Time`) says how long ago something was, and goes on by itself. Within `Facts`, and wherever `moment.tsx`
 *   (`ExactTimes`) is put around, the exact time stands beside it; put it where no other page tells more. Elsewhere
 *   `time-switch.tsx`, which `PageHeading` shows then, chooses which of the two it is.
 * - `form.tsx`: fields called as the API calls its members, so that refusals are shown beside them.
 * - `act-button.tsx`: a button that needs a role, says why it may not, and tells what came of it; `dialog.tsx` asks before;
 *   `results.tsx` (`useTell`) says it.
 */
import type { PageEntry } from './kit/page-entry.ts'

export const pages: readonly PageEntry[] = [
  {
    path: '',
    title: 'Overview',
    group: 'Now',
    isOfAllTenants: true,
    load: () => import('./pages/overview/overview.tsx'),
  },
  { path: 'events', title: 'Events', group: 'Now', load: () => import('./pages/events/list.tsx') },
  { path: 'events/:id', title: 'Event', load: () => import('./pages/events/detail.tsx') },
  { path: 'deliveries/:id', title: 'Delivery', load: () => import('./pages/deliveries/detail.tsx') },
  {
    path: 'endpoints',
    title: 'Endpoints',
    group: 'Setup',
    load: () => import('./pages/endpoints/list.tsx'),
  },
  { path: 'endpoints/new', title: 'New endpoint', load: () => import('./pages/endpoints/new.tsx') },
  { path: 'endpoints/:id', title: 'Endpoint', load: () => import('./pages/endpoints/detail.tsx') },
  { path: 'endpoints/:id/edit', title: 'Edit endpoint', load: () => import('./pages/endpoints/edit.tsx') },
  {
    path: 'subscriptions',
    title: 'Subscriptions',
    group: 'Setup',
    load: () => import('./pages/subscriptions/list.tsx'),
  },
  {
    path: 'subscriptions/new',
    title: 'New subscription',
    load: () => import('./pages/subscriptions/new.tsx'),
  },
  {
    path: 'subscriptions/:id',
    title: 'Subscription',
    load: () => import('./pages/subscriptions/detail.tsx'),
  },
  {
    path: 'event-types',
    title: 'Event types',
    group: 'Setup',
    load: () => import('./pages/event-types/list.tsx'),
  },
  // Not below event-types/, where each name is that of a type.
  { path: 'new-event-type', title: 'New event type', load: () => import('./pages/event-types/new.tsx') },
  {
    path: 'import-event-types',
    title: 'Import event types',
    load: () => import('./pages/event-types/import.tsx'),
  },
  { path: 'event-types/:name', title: 'Event type', load: () => import('./pages/event-types/detail.tsx') },
  { path: 'tenants', title: 'Tenants', group: 'Setup', load: () => import('./pages/tenants/list.tsx') },
  { path: 'tenants/new', title: 'New tenant', load: () => import('./pages/tenants/new.tsx') },
  { path: 'tenants/:id', title: 'Tenant', load: () => import('./pages/tenants/detail.tsx') },
  {
    path: 'keys',
    title: 'Keys and tokens',
    group: 'Setup',
    needs: 'admin',
    load: () => import('./pages/keys/list.tsx'),
  },
  {
    path: 'dead-letters',
    title: 'Dead letters',
    group: 'Repair',
    load: () => import('./pages/dead-letters/list.tsx'),
  },
  { path: 'jobs', title: 'Jobs', group: 'Repair', load: () => import('./pages/jobs/list.tsx') },
  { path: 'jobs/:id', title: 'Job', load: () => import('./pages/jobs/detail.tsx') },
  {
    path: 'ordered-keys',
    title: 'Ordered keys',
    group: 'Repair',
    load: () => import('./pages/ordered-keys/list.tsx'),
  },
  {
    path: 'audit',
    title: 'Audit log',
    group: 'Server',
    needs: 'admin',
    isOfAllTenants: true,
    load: () => import('./pages/audit/list.tsx'),
  },
  {
    path: 'system',
    title: 'System',
    group: 'Server',
    needs: 'operator',
    needsAllTenants: true,
    load: () => import('./pages/system/page.tsx'),
  },
]
