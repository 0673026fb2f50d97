import { Type } from '../../bundled/typebox.ts'
import { limits } from '../../core/model.ts'
import { portalAbilities } from '../../core/portal.ts'
import { Closed, Id, Nullable, PageOf, Time } from './shapes.ts'
import { durationPattern, idOf, longerThanNothing, namePattern } from './text-limits.ts'

export const portalLinkParams = Type.Object({ id: idOf('ten'), link_id: idOf('plk') })

export const PortalLinkCreateBody = Closed(
  {
    abilities: Type.Optional(
      Type.Array(Type.Enum([...portalAbilities]), {
        minItems: 1,
        uniqueItems: true,
        description:
          '`view`, which is part of each link: endpoints, events, deliveries and jobs, without what is in them; `manage_endpoints`: make, change, test, pause and delete endpoints; `resend`: send deliveries again, one or all that failed; `see_payloads`: payloads, metadata and what receivers answered; `reveal_secret`: secrets of endpoints. Default `["view"]`',
      }),
    ),
    expires_in: Type.Optional(
      Type.Unsafe<string | number>({
        type: ['string', 'integer'],
        pattern: longerThanNothing + durationPattern(7),
        minimum: 1,
        maximum: 604_800_000,
        examples: ['8h'],
        description: 'how long it is good: "1h" (the default), at most 7 days',
      }),
    ),
    label: Type.Optional(
      Nullable(
        Type.String({
          minLength: 1,
          maxLength: limits.maxKeyNameChars,
          pattern: namePattern,
          description: 'for whom it is, in your words',
        }),
      ),
    ),
  },
  {
    title: 'PortalLinkCreate',
    examples: [{ abilities: ['view', 'manage_endpoints', 'resend'], expires_in: '8h' }],
  },
)

const linkMembers = {
  id: Id,
  tenant_id: Type.String(),
  abilities: Type.Array(Type.String({ enum: [...portalAbilities] })),
  label: Nullable(Type.String()),
  created_at: Time,
  expires_at: Time,
  revoked_at: Nullable(Time),
}

export const PortalLinkBody = Type.Object(linkMembers, { title: 'PortalLink' })

export const CreatedPortalLinkBody = Type.Object(
  {
    ...linkMembers,
    token: Type.String({ description: 'shown here once and never again, as is the URL' }),
    url: Type.String({
      format: 'uri',
      description:
        'what whoever it is for opens. The token stands behind its `#`, which no browser sends to a server',
    }),
  },
  { title: 'CreatedPortalLink' },
)

export const PortalLinkPage = PageOf(PortalLinkBody)

export const PortalBody = Type.Object(
  {
    link_id: Nullable(Type.String({ description: 'null: an admin token asks' })),
    tenant_id: Type.String(),
    tenant_name: Type.String(),
    abilities: Type.Array(Type.String({ enum: [...portalAbilities] })),
    expires_at: Nullable(Time),
  },
  { title: 'Portal' },
)
