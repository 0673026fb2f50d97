/** Producer keys and admin tokens. Only their SHA-256 is stored; the text is shown once. */
import { createHash } from 'node:crypto'
import { OuthookError } from '../core/errors.ts'
import type { IdFactory } from '../core/ids.ts'
import {
  type AdminRole,
  type ApiKey,
  defaultTenantId,
  isWithin,
  type KeyAbility,
  limits,
} from '../core/model.ts'
import { checkText } from '../core/text.ts'
import type { ConfigStore, NewApiKey, Page, PageRequest } from '../store/port.ts'
import { checkId, checkPage, notFound } from './page.ts'

const { maxKeyNameChars: maxNameChars } = limits
const tokenBytes = 24

/** Who calls. */
export type Principal = ProducerPrincipal | AdminPrincipal

export interface ProducerPrincipal {
  readonly kind: 'producer'
  readonly tenantId: string
  readonly keyId: string
  readonly abilities: readonly KeyAbility[]
}

export interface AdminPrincipal {
  readonly kind: 'admin'
  readonly role: AdminRole
  /** Null: all tenants. */
  readonly tenantId: string | null
  /** Null: the token of the configuration. */
  readonly keyId: string | null
}

export interface KeyInput {
  readonly kind: ApiKey['kind']
  readonly name: string
}

export interface CreatedKey {
  readonly key: ApiKey
  readonly token: string
}

export interface ApiKeysOptions {
  readonly store: ConfigStore
  readonly ids: IdFactory
  readonly randomBytes: (size: number) => Uint8Array
}

export class ApiKeys {
  readonly #options: ApiKeysOptions

  constructor(options: ApiKeysOptions) {
    this.#options = options
  }

  /** `token` is shown here once and never again: `hk_` (producer) or `hkadm_` (admin) and 48 hex digits. */
  async create(tenantId: string, input: KeyInput): Promise<CreatedKey> {
    const { row, token } = this.#generate(tenantId, input)
    return { key: await this.#options.store.insertApiKey(row), token }
  }

  /** Null when the tenant has or ever had a key of this kind: of all processes that start together, one makes it. */
  async createFirst(tenantId: string, input: KeyInput): Promise<CreatedKey | null> {
    const { row, token } = this.#generate(tenantId, input)
    const key = await this.#options.store.insertFirstApiKey(row)
    return key && { key, token }
  }

  #generate(tenantId: string, input: KeyInput): { readonly row: NewApiKey; readonly token: string } {
    const { ids, randomBytes } = this.#options
    const name = checkName(input.name)
    const admin = input.kind === 'admin'
    const token = (admin ? 'hkadm_' : 'hk_') + Buffer.from(randomBytes(tokenBytes)).toString('hex')
    const id = ids.next(admin ? 'adm' : 'key')
    return { row: { id, tenantId, kind: input.kind, name, scopes: ['*'], hash: hashToken(token) }, token }
  }

  async list(
    tenantId: string,
    page: Partial<PageRequest> & { kind?: ApiKey['kind'] } = {},
  ): Promise<Page<ApiKey>> {
    const { kind } = page
    return this.#options.store.listApiKeys(tenantId, { ...checkPage(page), ...(kind && { kind }) })
  }

  /** Can be called again. Errors: not_found. */
  async revoke(tenantId: string, id: string): Promise<void> {
    const checked = checkId(id, id.startsWith('adm_') ? 'adm' : 'key', 'key')
    if (!(await this.#options.store.revokeApiKey(tenantId, checked))) throw notFound('key')
  }

  /** Null: unknown or revoked. Errors: store_unavailable; a store that is down never reads as "unknown". */
  async authenticate(token: string): Promise<Principal | null> {
    const key = await this.#options.store.findApiKey(hashToken(token))
    return key && principalOf(key)
  }
}

/** Admin tokens of the tenant that always exists are for all tenants. */
function principalOf({ kind, tenantId, id: keyId }: ApiKey): Principal {
  return kind === 'producer'
    ? { kind, tenantId, keyId, abilities: ['publish'] }
    : { kind, role: 'admin', tenantId: tenantId === defaultTenantId ? null : tenantId, keyId }
}

function hashToken(token: string): Uint8Array {
  return createHash('sha256').update(token).digest()
}

function checkName(name: unknown): string {
  checkText(name, 'name')
  if (typeof name === 'string' && name.trim() !== '' && isWithin(name, maxNameChars)) return name.trim()
  throw new OuthookError(
    'unprocessable',
    `name must be 1 to ${maxNameChars} characters that say whose key it is`,
  )
}
