/** Makes producer keys and admin tokens of what a body says: for the routes, and for a store that no server owns. */
import type { Static } from 'typebox'
import { OuthookError } from '../core/errors.ts'
import type { KeyAbility } from '../core/model.ts'
import type { Engine } from '../engine/engine.ts'
import { type ExpiryMembers, expiryIn } from './key-expiry.ts'
import type { AdminTokenCreateBody, CreatedAdminTokenBody } from './schemas/admin-tokens.ts'
import type { CreatedKeyBody } from './schemas/keys.ts'
import { toAdminToken, toKey } from './views/keys.ts'

type KeyMakers = Pick<Engine, 'apiKeys' | 'adminTokens'>

/** `reach`: the only tenant that an admin token may be for; null: any, and all. */
export interface Whose {
  readonly tenantId: string
  readonly reach: string | null
}

export type NewKeyBody = KeySettings & {
  readonly name: string
  readonly kind?: 'producer' | 'admin'
}

export async function createKeyOf(
  engine: KeyMakers,
  { tenantId, reach }: Whose,
  { kind = 'producer', name, ...settings }: NewKeyBody,
): Promise<Static<typeof CreatedKeyBody>> {
  const { key, token } =
    kind === 'producer'
      ? await engine.apiKeys.create(tenantId, { name, ...keySettingsIn(settings) })
      : await engine.adminTokens.create(reach, {
          role: 'admin',
          label: name,
          ...expiryIn(refuseKeySettings(settings)),
        })
  return { ...toKey(key), key: token }
}

export async function createAdminTokenOf(
  engine: KeyMakers,
  reach: string | null,
  { role, label, tenant_id: tenantId, ...expiry }: Static<typeof AdminTokenCreateBody>,
): Promise<Static<typeof CreatedAdminTokenBody>> {
  const { key, token } = await engine.adminTokens.create(reach, {
    role: role as 'viewer',
    label,
    ...(tenantId !== undefined && { tenantId }),
    ...expiryIn(expiry),
  })
  return { ...toAdminToken(key), token }
}

type KeySettings = ExpiryMembers & {
  readonly scopes?: readonly string[] | undefined
  readonly abilities?: readonly KeyAbility[] | undefined
  readonly rate_limit_rps?: number | null | undefined
}

export function keySettingsIn({ scopes, abilities, rate_limit_rps: rateLimitRps, ...expiry }: KeySettings) {
  return {
    ...(scopes !== undefined && { scopes }),
    ...(abilities !== undefined && { abilities }),
    ...(rateLimitRps !== undefined && { rateLimitRps }),
    ...expiryIn(expiry),
  }
}

/** A limit that nobody would keep. */
function refuseKeySettings({ scopes, abilities, rate_limit_rps: rate, ...expiry }: KeySettings) {
  const [name] = Object.entries({ scopes, abilities, rate_limit_rps: rate }).find(
    ([, value]) => value !== undefined,
  ) ?? [null]
  if (name === null) return expiry
  throw new OuthookError('unprocessable', `${name} is a producer key's; an admin token has a role`)
}
