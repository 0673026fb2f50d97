/** Admin tokens: what people and scripts administer with. Each has a role, and is of one tenant or of all. */
import { OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import type { IdFactory } from '../core/ids.ts'
import { type ApiKey, limits } from '../core/model.ts'
import type { ChangeOptions } from '../core/version.ts'
import type { KeyOwner, KeyStore, NewApiKey, Page, PageRequest, StoreTime } from '../store/port.ts'
import type { CreatedKey } from './api-keys.ts'
import {
  type AdminTokenInput,
  adminTokenMembers,
  checkKeyName,
  checkMembers,
  checkRole,
  expiryOf,
} from './key-input.ts'
import { hashKeyText, newKeyText } from './key-text.ts'
import { checkId, checkPage, notFound } from './page.ts'
import type { Tenants } from './tenants.ts'

const { maxActiveAdminTokens } = limits

export interface AdminTokensOptions {
  readonly store: KeyStore
  readonly ids: IdFactory
  readonly time: StoreTime
  readonly words: FaceWords
  readonly tenants: Pick<Tenants, 'resolve' | 'refuse'>
  readonly randomBytes: (size: number) => Uint8Array
}

/** `reach` is the tenant of whoever asks, whose tokens are the only ones that there are for it; null: of all tenants. */
export class AdminTokens {
  readonly #options: AdminTokensOptions

  constructor(options: AdminTokensOptions) {
    this.#options = options
  }

  /**
   * `token` is shown here once and never again: `hkadm_` and 48 hex digits. A token of one tenant makes only such as are
   * of the same. Errors: unprocessable, not_found (the tenant), conflict when 256 of the tenant, or of all tenants, are
   * active already.
   */
  async create(reach: string | null, input: AdminTokenInput): Promise<CreatedKey> {
    const made = await this.#generate(reach, input)
    const key = await this.#options.store.insertApiKey(made.row, { maxActive: maxActiveAdminTokens })
    if (key !== null) return { key, token: made.token }
    throw new OuthookError(
      'conflict',
      `${maxActiveAdminTokens} admin tokens are active already; revoke one that is not used`,
    )
  }

  /** Null when there is or ever was an admin token of all tenants: of all processes that start together, one makes it. */
  async createFirst(input: AdminTokenInput): Promise<CreatedKey | null> {
    const { row, token } = await this.#generate(null, input)
    const key = await this.#options.store.insertFirstApiKey(row)
    return key && { key, token }
  }

  async #generate(
    reach: string | null,
    input: AdminTokenInput,
  ): Promise<{ readonly row: NewApiKey; readonly token: string }> {
    checkMembers(input, { known: adminTokenMembers, example: "{ role: 'viewer', label: 'dashboard' }" })
    const { ids, randomBytes } = this.#options
    const tenantId = await this.#tenantOf(reach, input.tenantId)
    const token = newKeyText('admin', randomBytes)
    const key = {
      id: ids.next('adm'),
      tenantId,
      kind: 'admin' as const,
      role: checkRole(input.role),
      name: checkKeyName(input.label, 'label'),
      scopes: [],
      abilities: [],
      rateLimitRps: null,
      expiresAt: expiryOf(input, this.#options) ?? null,
    }
    return { row: { key, hash: hashKeyText(token) }, token }
  }

  /** To a token of one tenant there is no other. */
  async #tenantOf(reach: string | null, asked: string | null | undefined): Promise<string | null> {
    if (asked === undefined) return reach
    if (asked === null) {
      if (reach === null) return null
      throw new OuthookError('forbidden', 'a token of one tenant makes no token of all tenants', {
        title: 'insufficient role',
      })
    }
    const { tenants } = this.#options
    const tenantId = await tenants.resolve(asked)
    return reach === null || tenantId === reach ? tenantId : tenants.refuse(asked)
  }

  /** Errors: not_found. */
  async get(reach: string | null, id: string): Promise<ApiKey> {
    const key = await this.#options.store.getApiKey(ownerOf(reach), checkTokenId(id))
    if (key === null) throw notFound('admin token')
    return key
  }

  /** Oldest first. */
  async list(reach: string | null, page: Partial<PageRequest> = {}): Promise<Page<ApiKey>> {
    return this.#options.store.listApiKeys(ownerOf(reach), checkPage(page))
  }

  /**
   * Can be called again. With `keepLast` the last token is kept that is of role admin and of all tenants and never
   * expires, because without it nobody could make another one. Errors: not_found, conflict, version_conflict.
   */
  async revoke(
    reach: string | null,
    id: string,
    { keepLast = false, ifMatch }: ChangeOptions & { readonly keepLast?: boolean } = {},
  ): Promise<void> {
    const options = { keepLastAdmin: keepLast, ifMatch }
    const result = await this.#options.store.revokeApiKey(ownerOf(reach), checkTokenId(id), options)
    if (result === 'not_found') throw notFound('admin token')
    if (result === 'revoked') return
    throw new OuthookError(
      'conflict',
      'without this token nobody could administer the server: no other one is of role admin and of all tenants and ' +
        'never expires; make such a one first, or start the server with an admin token of its configuration',
    )
  }
}

function ownerOf(reach: string | null): KeyOwner {
  return { kind: 'admin', tenantId: reach }
}

function checkTokenId(id: string): string {
  return checkId(id, 'adm', 'admin token')
}
