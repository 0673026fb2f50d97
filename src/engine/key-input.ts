/**
 * What a caller says of a producer key or an admin token. Every check throws `unprocessable`, and `invalid_request` for
 * what is no text, naming the member.
 */
import { OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import { type AdminRole, adminRoles, isWithin, type KeyAbility, keyAbilities, limits } from '../core/model.ts'
import { checkText } from '../core/text.ts'
import { momentOf } from '../core/time-line.ts'
import type { StoreTime } from '../store/port.ts'

const { maxKeyNameChars: maxNameChars } = limits
/** A time beyond is a mistake in the unit. */
export const maxExpiryMs = 100 * 365 * 86_400_000

export interface KeyInput {
  /** Whose key it is: 1 to 200 characters. */
  readonly name: string
  /** Patterns of the topics that it may publish, 1 to 100 such as `orders.*`; default `['*']`, all. */
  readonly scopes?: readonly string[]
  /** `publish`: events; `read`: all events of its tenant; `send`: to URLs and endpoints that it names. Default `['publish']`, which reads what was published with it. */
  readonly abilities?: readonly KeyAbility[]
  /** Events that it publishes a second, 0.01 to 1 000 000, on average; null, the default: as the server is set. */
  readonly rateLimitRps?: number | null
  /** From then on it is refused: milliseconds since the epoch. Null, the default: never. Not beside `expiresInMs`. */
  readonly expiresAt?: number | null
  readonly expiresInMs?: number
}

export type KeyChange = Partial<KeyInput>

export interface AdminTokenInput {
  readonly role: AdminRole
  /** Whose token it is: 1 to 200 characters. */
  readonly label: string
  /** The only tenant whose objects it may see and change; null, the default: all tenants. */
  readonly tenantId?: string | null
  /** As of a key. */
  readonly expiresAt?: number | null
  readonly expiresInMs?: number
}

export const keyMembers = {
  name: true,
  scopes: true,
  abilities: true,
  rateLimitRps: true,
  expiresAt: true,
  expiresInMs: true,
} satisfies Record<keyof KeyInput, true>

export const adminTokenMembers = {
  role: true,
  label: true,
  tenantId: true,
  expiresAt: true,
  expiresInMs: true,
} satisfies Record<keyof AdminTokenInput, true>

/** A member that nobody reads would be a limit that its caller believes in. */
export function checkMembers(
  given: unknown,
  { known, example }: { readonly known: Readonly<Record<string, true>>; readonly example: string },
): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new OuthookError('unprocessable', `give an object such as ${example}`)
  }
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(known, name))
  if (unknown === undefined) return
  throw new OuthookError(
    'unprocessable',
    `${JSON.stringify(unknown.slice(0, 64))} is not a member that can be given here; the members are ${Object.keys(known).join(', ')}`,
  )
}

/** `member` is the name or label of it. */
export function checkKeyName(name: unknown, member: string): string {
  checkText(name, member)
  if (typeof name === 'string' && name.trim() !== '' && isWithin(name, maxNameChars)) return name.trim()
  throw new OuthookError(
    'unprocessable',
    `${member} must be 1 to ${maxNameChars} characters that say whose it is`,
  )
}

export function checkAbilities(abilities: unknown): readonly KeyAbility[] {
  const given: readonly unknown[] = Array.isArray(abilities) ? abilities : []
  const known = keyAbilities.filter((ability) => given.includes(ability))
  if (known.length > 0 && known.length === new Set(given).size) return known
  throw new OuthookError(
    'unprocessable',
    `abilities must be a list of one or more of ${keyAbilities.join(', ')}`,
  )
}

export function checkRole(role: unknown): AdminRole {
  const known = adminRoles.find((one) => one === role)
  if (known !== undefined) return known
  throw new OuthookError('unprocessable', `role must be one of ${adminRoles.join(', ')}`)
}

export interface ExpiryRules {
  readonly time: StoreTime
  readonly words: FaceWords
}

/** A moment of the store; null: never; undefined: nothing was said. */
export function expiryOf(
  { expiresAt, expiresInMs }: Pick<KeyInput, 'expiresAt' | 'expiresInMs'>,
  { time, words }: ExpiryRules,
): number | null | undefined {
  const [at, within] = [words.member('expires_at'), words.member('expires_in_ms')]
  if (expiresAt !== undefined && expiresInMs !== undefined) {
    throw new OuthookError('unprocessable', `${at} must not stand beside ${within}; give one of them`)
  }
  if (expiresInMs !== undefined) {
    const left = checkLeft(Number.isSafeInteger(expiresInMs) ? expiresInMs : 0, within)
    return time.now() + left
  }
  if (expiresAt === undefined || expiresAt === null) return expiresAt
  const moment = Number.isSafeInteger(expiresAt) ? momentOf(time.line, expiresAt) : 0
  return time.now() + checkLeft(moment - time.now(), at)
}

function checkLeft(leftMs: number, member: string): number {
  if (leftMs > 0 && leftMs <= maxExpiryMs) return leftMs
  throw new OuthookError('unprocessable', `${member} must be in the future, by 100 years at most`)
}
