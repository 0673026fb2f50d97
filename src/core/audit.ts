/**
 * Lines of the audit log: who changed what, with what it was before and is afterwards. Nothing here knows a secret: what
 * a line may say of an object is a list of its members (`audit-members.ts`).
 */

/**
 * `sign_in` is a browser, by the token that it was signed in with; `library` a program that has opened the store itself,
 * `command_line` a command that has, and `system` the server by itself.
 */
export const actorKinds = [
  'admin_token',
  'sign_in',
  'portal_link',
  'producer_key',
  'library',
  'command_line',
  'system',
] as const
export type ActorKind = (typeof actorKinds)[number]

export interface Actor {
  readonly kind: ActorKind
  /** Of the token, the key or the link; null: the token of the configuration, or who has none. */
  readonly id: string | null
}

/** What a line is about. */
export const auditedKinds = [
  'tenant',
  'endpoint',
  'subscription',
  'credential',
  'key',
  'admin_token',
  'portal_link',
  'event_type',
  'event_catalogue',
  'job',
  'delivery',
  'event',
  'master_key',
] as const
export type AuditedKind = (typeof auditedKinds)[number]

/** Members as the API names them. */
export type AuditMembers = Readonly<Record<string, unknown>>

export interface AuditLine {
  readonly id: string
  readonly createdAt: number
  /** Null: of the whole server. */
  readonly tenantId: string | null
  readonly actor: Actor
  /** Such as `endpoint.updated`. */
  readonly action: string
  readonly objectKind: AuditedKind
  /** Null: there is one of the kind. Of an event type its name. */
  readonly objectId: string | null
  /** Only what has changed; null: the object was not there, or there is nothing to say. */
  readonly before: AuditMembers | null
  readonly after: AuditMembers | null
}

export const defaultAuditRetentionMs = 90 * 86_400_000
/** Of one action, such as `endpoint.updated`, or of all that begin so, such as `endpoint.*`. */
export const actionPattern = '^[a-z_]{1,31}\\.(?:[a-z_]{1,31}|\\*)$'

export interface AuditChange {
  readonly before: AuditMembers | null
  readonly after: AuditMembers | null
}

/** A value that is longer as JSON is told by its length and digest: that it changed is seen by these. */
const maxValueChars = 4096

/**
 * What has changed between two states of an object, of which null is "not there". Of one that came or went everything is
 * told that it has. Null: nothing has changed.
 */
export function changeOf(
  { before, after }: AuditChange,
  digest: (text: string) => string,
): AuditChange | null {
  if (before === null || after === null) {
    return { before: before && shorten(given(before), digest), after: after && shorten(given(after), digest) }
  }
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const changed = names.filter((name) => textOf(before[name]) !== textOf(after[name]))
  if (changed.length === 0) return null
  const pick = (members: AuditMembers) =>
    Object.fromEntries(changed.map((name) => [name, members[name] ?? null]))
  return { before: shorten(pick(before), digest), after: shorten(pick(after), digest) }
}

/** Without what says nothing. */
function given(members: AuditMembers): AuditMembers {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => !isNothing(value)))
}

function isNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

function shorten(members: AuditMembers, digest: (text: string) => string): AuditMembers {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => {
      const text = textOf(value)
      return [name, text.length <= maxValueChars ? value : { characters: text.length, sha256: digest(text) }]
    }),
  )
}

function textOf(value: unknown): string {
  return JSON.stringify(value ?? null)
}
