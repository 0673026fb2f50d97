import type { SignIn } from '../../client/index.ts'

export type Role = SignIn['role']

const ranks: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 }

/** Why somebody of this role may not do what needs another; null: they may. */
export function refusalOf(role: Role, needed: Role): string | null {
  if (ranks[role] >= ranks[needed]) return null
  return `Needs the role ${needed}; you are signed in as ${role}.`
}

/** Why somebody may not see what is of the whole server; null: their token is of all tenants. */
export function refusalOfServer({ tenantId }: Pick<SignIn, 'tenantId'>): string | null {
  return tenantId === null
    ? null
    : 'Needs a token of all tenants; you are signed in with one of a single tenant.'
}
