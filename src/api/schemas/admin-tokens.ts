import { Type } from '../../bundled/typebox.ts'
import { adminRoles } from '../../core/model.ts'
import { expiryMembers, KeyName } from './keys.ts'
import { Closed, Id, Nullable, PageOf, pageQuery, Time } from './shapes.ts'
import { idOf } from './text-limits.ts'
import { Version } from './versions.ts'

export const AdminTokenCreateBody = Closed(
  {
    // Which roles there are is the engine's to say: a wrong one is a value, and not the form.
    role: Type.String({
      pattern: `^(?:${adminRoles.join('|')})$`,
      description:
        '`viewer` reads, `operator` also publishes and repairs, `admin` also changes what is set up',
    }),
    label: KeyName,
    tenant_id: Type.Optional(
      Type.Unsafe<string | null>({
        ...idOf('ten'),
        type: ['string', 'null'],
        description: 'the only tenant that it is for; null: all. Default: as the token that makes it',
      }),
    ),
    ...expiryMembers,
  },
  { title: 'AdminTokenCreate', examples: [{ role: 'viewer', label: 'dashboard', expires_in: '90d' }] },
)

const tokenMembers = {
  id: Id,
  role: Type.String({ enum: [...adminRoles] }),
  label: Type.String(),
  tenant_id: Nullable(Type.String({ description: 'null: all tenants' })),
  created_at: Time,
  expires_at: Nullable(Time),
  last_used_at: Nullable(
    Type.String({ format: 'date-time', description: 'within a minute or so; null: never' }),
  ),
  revoked_at: Nullable(Time),
  version: Version,
}

export const AdminTokenBody = Type.Object(tokenMembers, { title: 'AdminToken' })

export const CreatedAdminTokenBody = Type.Object(
  { ...tokenMembers, token: Type.String({ description: 'shown here once and never again' }) },
  { title: 'CreatedAdminToken' },
)

export const AdminTokenPage = PageOf(AdminTokenBody)
export const AdminTokenQuery = Closed({ ...pageQuery })
