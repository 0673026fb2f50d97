/** What the page calls those who act and what they have changed. */
import type { AuditLine } from '../../../client/index.ts'
import { pathOf } from '../../kit/match-path.ts'

export const actorWords: Readonly<Record<AuditLine['actor']['kind'], string>> = {
  admin_token: 'admin token',
  sign_in: 'dashboard',
  portal_link: 'portal link',
  producer_key: 'producer key',
  library: 'library',
  command_line: 'command line',
  system: 'the server itself',
}

export function wordsOfKind(kind: AuditLine['object']['kind']): string {
  return kind.replaceAll('_', ' ')
}

/** Where pages of objects are. Of the others there is none. */
const pages: Partial<Readonly<Record<AuditLine['object']['kind'], string>>> = {
  tenant: 'tenants',
  endpoint: 'endpoints',
  subscription: 'subscriptions',
  event_type: 'event-types',
  job: 'jobs',
  delivery: 'deliveries',
  event: 'events',
}

/** Null: it has no page of its own. */
export function pathOfObject({ kind, id }: AuditLine['object']): string | null {
  if (kind === 'event_catalogue') return 'event-types'
  if (kind === 'key' || kind === 'admin_token') return 'keys'
  const page = pages[kind]
  return page === undefined || id === null ? null : pathOf(page, id)
}

export interface Change {
  readonly name: string
  /** Null: nothing was said of it. */
  readonly before: string | null
  readonly after: string | null
}

/** Each member that has changed, by its name. */
export function changesOf({ before, after }: Pick<AuditLine, 'before' | 'after'>): readonly Change[] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])]
  return names.map((name) => ({ name, before: show(before, name), after: show(after, name) }))
}

function show(members: AuditLine['before'], name: string): string | null {
  if (members === null || !(name in members)) return null
  const value = members[name]
  return typeof value === 'string' ? value : JSON.stringify(value)
}
