import { Type } from '../../bundled/typebox.ts'
import { adminRoles, limits } from '../../core/model.ts'
import { Closed, Id, Nullable, PageOf, pageQuery, Time } from './shapes.ts'
import { namePattern } from './text-limits.ts'

const Kind = Type.Enum(['producer', 'admin'])

export const KeyCreateBody = Closed(
  {
    name: Type.String({
      minLength: 1,
      maxLength: limits.maxKeyNameChars,
      pattern: namePattern,
      description: 'whose key it is',
    }),
    kind: Type.Optional(Kind),
  },
  { title: 'KeyCreate', examples: [{ name: 'checkout' }] },
)

const keyMembers = {
  id: Id,
  kind: Type.String({ enum: ['producer', 'admin'] }),
  name: Type.String(),
  scopes: Type.Array(Type.String()),
  created_at: Time,
  revoked_at: Nullable(Time),
}

export const KeyBody = Type.Object(keyMembers, { title: 'Key' })

export const CreatedKeyBody = Type.Object(
  { ...keyMembers, key: Type.String({ description: 'shown here once and never again' }) },
  { title: 'CreatedKey' },
)

export const KeyPage = PageOf(KeyBody)

export const KeyQuery = Closed({ ...pageQuery, kind: Type.Optional(Kind) })

export const WhoamiBody = Type.Object(
  {
    role: Type.String({ enum: ['producer', ...adminRoles] }),
    tenant_id: Nullable(Type.String({ description: 'null for an admin token of all tenants' })),
    key_id: Nullable(Type.String({ description: 'null for the token of the configuration' })),
  },
  { title: 'Whoami' },
)
