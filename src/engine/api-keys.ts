/** Producer keys: what programs publish with. Each is of one tenant. */
import { OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import type { IdFactory } from '../core/ids.ts'
import type { ApiKey } from '../core/model.ts'
import { checkTopicPatterns } from '../core/topics.ts'
import type { ChangeOptions } from '../core/version.ts'
import type { KeyOwner, KeyStore, Page, PageRequest, StoreTime } from '../store/port.ts'
import { checkRateLimit } from './endpoint-checks.ts'
import {
  checkAbilities,
  checkKeyName,
  checkMembers,
  expiryOf,
  type KeyChange,
  type KeyInput,
  keyMembers,
} from './key-input.ts'
import { hashKeyText, newKeyText } from './key-text.ts'
import { checkId, checkPage, notFound } from './page.ts'

const defaultGraceMs = 24 * 3_600_000
export const maxKeyGraceMs = 30 * 24 * 3_600_000

const example = "{ name: 'checkout', scopes: ['orders.*'] }"

export interface CreatedKey {
  readonly key: ApiKey
  /** Shown here once and never again: `hk_` and 48 hex digits. */
  readonly token: string
}

export interface RotatedKey extends CreatedKey {
  /** Until when what it was before is taken too, milliseconds since the epoch. */
  readonly previousExpiresAt: number
}

export interface ApiKeysOptions {
  readonly store: KeyStore
  readonly ids: IdFactory
  readonly time: StoreTime
  readonly words: FaceWords
  readonly randomBytes: (size: number) => Uint8Array
}

export class ApiKeys {
  readonly #options: ApiKeysOptions

  constructor(options: ApiKeysOptions) {
    this.#options = options
  }

  async create(tenantId: string, input: KeyInput): Promise<CreatedKey> {
    checkMembers(input, { known: keyMembers, example })
    const { store, ids, randomBytes } = this.#options
    const name = checkKeyName(input.name, 'name')
    const changes = this.#check(input)
    const token = newKeyText('producer', randomBytes)
    const key = {
      id: ids.next('key'),
      tenantId,
      kind: 'producer' as const,
      role: null,
      scopes: ['*'],
      abilities: ['publish' as const],
      rateLimitRps: null,
      expiresAt: expiryOf(input, this.#options) ?? null,
      ...changes,
      name,
    }
    const made = await store.insertApiKey({ key, hash: hashKeyText(token) })
    return { key: made as ApiKey, token }
  }

  /** Errors: not_found. */
  async get(tenantId: string, id: string): Promise<ApiKey> {
    const key = await this.#options.store.getApiKey(ownerOf(tenantId), checkKeyId(id))
    if (key === null) throw notFound('key')
    return key
  }

  /** Newest first. */
  async list(tenantId: string, page: Partial<PageRequest> = {}): Promise<Page<ApiKey>> {
    return this.#options.store.listApiKeys(ownerOf(tenantId), checkPage(page))
  }

  /** Absent members stay. Errors: not_found, version_conflict and those of `create`. */
  async update(tenantId: string, id: string, change: KeyChange, options?: ChangeOptions): Promise<ApiKey> {
    checkMembers(change, { known: keyMembers, example })
    const { store } = this.#options
    const expiresAt = expiryOf(change, this.#options)
    const patch = {
      ...this.#check(change),
      ...(change.name !== undefined && { name: checkKeyName(change.name, 'name') }),
      ...(expiresAt !== undefined && { expiresAt }),
    }
    const key = await store.updateApiKey(ownerOf(tenantId), checkKeyId(id), patch, options)
    if (key === null) throw notFound('key')
    return key
  }

  /**
   * A new text for the same key. What it was before is taken for `graceMs` more, by default a day, at most 30; 0 is no
   * longer at all. Events that were published with it stay its own. Errors: not_found, conflict when it is revoked.
   */
  async rotate(
    tenantId: string,
    id: string,
    { graceMs = defaultGraceMs }: { readonly graceMs?: number } = {},
  ): Promise<RotatedKey> {
    const { store, time, words, randomBytes } = this.#options
    if (!Number.isSafeInteger(graceMs) || graceMs < 0 || graceMs > maxKeyGraceMs) {
      throw new OuthookError(
        'unprocessable',
        `${words.member('grace_ms')} must be from 0 to 30 days in milliseconds`,
      )
    }
    const token = newKeyText('producer', randomBytes)
    const rotation = { hash: hashKeyText(token), graceMs }
    const key = await store.rotateApiKey(ownerOf(tenantId), checkKeyId(id), rotation)
    if (key !== null) return { key, token, previousExpiresAt: time.now() + graceMs }
    await this.get(tenantId, id)
    throw new OuthookError('conflict', 'the key is revoked, for good; make another one')
  }

  /** Can be called again. Errors: not_found, version_conflict. */
  async revoke(tenantId: string, id: string, options?: ChangeOptions): Promise<void> {
    const result = await this.#options.store.revokeApiKey(ownerOf(tenantId), checkKeyId(id), options)
    if (result === 'not_found') throw notFound('key')
  }

  #check({ scopes, abilities, rateLimitRps }: KeyChange) {
    const { words } = this.#options
    return {
      ...(scopes !== undefined && { scopes: checkTopicPatterns(scopes, 'scopes') }),
      ...(abilities !== undefined && { abilities: checkAbilities(abilities) }),
      ...(rateLimitRps !== undefined && {
        rateLimitRps: checkRateLimit(rateLimitRps, words.member('rate_limit_rps')),
      }),
    }
  }
}

function ownerOf(tenantId: string): KeyOwner {
  return { kind: 'producer', tenantId }
}

function checkKeyId(id: string): string {
  return checkId(id, 'key', 'key')
}
