import { Type } from '../../bundled/typebox.ts'
import {
  type ActorKind,
  type AuditedKind,
  actionPattern,
  actorKinds,
  auditedKinds,
} from '../../core/audit.ts'
import { Closed, Id, Nullable, PageOf, pageQuery, Time, timeRangeQuery } from './shapes.ts'
import { Line } from './text-limits.ts'

const actorKind = Type.Unsafe<ActorKind>({
  type: 'string',
  enum: [...actorKinds],
  description:
    '`sign_in`: a browser, by the token that it was signed in with; `library`, `command_line`: a program or a command that has opened the store itself; `system`: the server by itself',
})

const objectKind = Type.Unsafe<AuditedKind>({ type: 'string', enum: [...auditedKinds] })

/** Names in it are those of the object's own members. */
const Members = Type.Unsafe<Readonly<Record<string, unknown>> | null>({
  type: ['object', 'null'],
  additionalProperties: true,
})

export const AuditLineBody = Type.Object(
  {
    id: Id,
    created_at: Time,
    tenant_id: Nullable(Type.String({ description: 'null: of the whole server' })),
    actor: Type.Object({
      kind: actorKind,
      id: Nullable(
        Type.String({
          description: 'of the token, key or link; null: the token of the configuration, or who has none',
        }),
      ),
    }),
    action: Type.String({ description: 'such as endpoint.updated' }),
    object: Type.Object({
      kind: objectKind,
      id: Nullable(Type.String({ description: 'of an event type its name; null: there is one of the kind' })),
    }),
    before: {
      ...Members,
      description:
        'only what has changed, and never a secret; null: it was not there, or there is nothing to say',
    } as typeof Members,
    after: {
      ...Members,
      description:
        'likewise; null: it is gone. A value of more than 4096 characters is told by its length and SHA-256',
    } as typeof Members,
  },
  { title: 'AuditLine' },
)

export const AuditPage = PageOf(AuditLineBody)

export const AuditQuery = Closed({
  actor_kind: Type.Optional(actorKind),
  actor_id: Type.Optional(Line),
  action: Type.Optional(
    Type.String({ pattern: actionPattern, description: 'one, or `endpoint.*` for all that begin so' }),
  ),
  object_kind: Type.Optional(objectKind),
  object_id: Type.Optional(Line),
  ...timeRangeQuery,
  ...pageQuery,
})
