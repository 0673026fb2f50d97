import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import { type IdFactory, idPrefixes } from '../core/ids.ts'
import { parseMetadata } from '../core/metadata.ts'
import { defaultTenantId, isWithin, limits } from '../core/model.ts'
import type { RetryPolicies } from '../core/retry-policies.ts'
import { defaultTenantSettings, type Tenant } from '../core/tenant.ts'
import { checkText } from '../core/text.ts'
import type { ChangeOptions } from '../core/version.ts'
import type { Page, PageRequest, TenantPatch, TenantStore } from '../store/port.ts'
import { announceAfter } from './announce-after.ts'
import { checkUid } from './endpoint-checks.ts'
import { checkId, checkPage, notFound, onlyPage } from './page.ts'
import { refuseTenant, TenantNames } from './tenant-names.ts'
import {
  readTenantSettings,
  type TenantSettingsInput,
  type TenantSettingsView,
  viewTenantSettings,
} from './tenant-settings.ts'

export interface TenantInput {
  /** A name of the caller's own, unique: 1 to 255 characters, and none that looks like an id. */
  readonly uid?: string | null
  /** For people, at most 200 characters. */
  readonly name?: string
  /** At most 16 short strings. */
  readonly metadata?: Readonly<Record<string, string>> | null
  readonly settings?: TenantSettingsInput
}

export interface TenantView extends Omit<Tenant, 'settings'> {
  readonly settings: TenantSettingsView
  /** `deleting`: it takes nothing more, and `removed` and `removal` say how far the removal has got. */
  readonly state: 'active' | 'deleting'
}

export interface UpsertedTenant {
  readonly tenant: TenantView
  readonly created: boolean
}

export interface TenantsOptions {
  readonly store: TenantStore
  readonly ids: IdFactory
  readonly words: FaceWords
  readonly retryPolicies: RetryPolicies
  readonly clock: Clock
  /** The tenant's routing is no longer what it was. */
  readonly onChange: (tenantId: string) => void
  /** There is a tenant to remove. */
  readonly onDelete: (tenantId: string) => void
}

const inputMembers = Object.keys({
  uid: true,
  name: true,
  metadata: true,
  settings: true,
} satisfies Record<keyof TenantInput, true>)

export class Tenants {
  readonly #options: TenantsOptions
  readonly #names: TenantNames

  constructor(options: TenantsOptions) {
    this.#options = options
    this.#names = new TenantNames(options)
  }

  /** Errors: unprocessable, invalid_request (the metadata), conflict (the uid is taken). */
  async create(input: TenantInput = {}): Promise<TenantView> {
    const created = await this.#insert(input)
    if (typeof created !== 'string') return created
    throw uidTaken(input.uid, `${created}; update that one`)
  }

  /** Creates the tenant with this `uid`, or brings it to what is given; members that are absent stay. */
  async upsert(input: TenantInput & { readonly uid: string }): Promise<UpsertedTenant> {
    const created = await this.#insert({ ...input, uid: this.#checkUid(input.uid) })
    if (typeof created !== 'string') return { tenant: created, created: true }
    return { tenant: await this.update(created, input), created: false }
  }

  /** Errors: not_found. */
  async get(id: string): Promise<TenantView> {
    const tenant = await this.#options.store.getTenant(checkTenantId(id))
    if (tenant === null) throw notFound('tenant')
    return view(tenant)
  }

  /** Errors: not_found. */
  async getByUid(uid: string): Promise<TenantView> {
    const tenant = await this.#options.store.getTenantByUid(checkUid(uid))
    if (tenant === null) throw notFound('tenant', 'uid')
    return view(tenant)
  }

  async list(page: Partial<PageRequest> & { readonly uid?: string } = {}): Promise<Page<TenantView>> {
    const { store } = this.#options
    const request = checkPage(page)
    if (page.uid !== undefined) {
      const found = await store.getTenantByUid(checkUid(page.uid, 'invalid_request'))
      return onlyPage(request, found && view(found))
    }
    const found = await store.listTenants(request)
    return { ...found, items: found.items.map(view) }
  }

  /** Absent members stay, those of the settings too. Errors: not_found, version_conflict and those of `create`. */
  async update(id: string, change: TenantInput, options?: ChangeOptions): Promise<TenantView> {
    const checked = checkTenantId(id)
    const patch = this.#check(change)
    if (checked === defaultTenantId && (patch.uid ?? 'default') !== 'default') {
      throw new OuthookError('unprocessable', 'the tenant default keeps its uid; create another tenant')
    }
    const update = this.#options.store.updateTenant(checked, patch, options)
    const result = await announceAfter(update, () => this.#changed(checked))
    if (result === null) throw notFound('tenant')
    if (result.kind === 'uid_exists') throw uidTaken(change.uid, `${result.tenantId}; choose another`)
    return view(result.tenant)
  }

  /**
   * The tenant takes nothing more from now on; its endpoints are deleted, what waits for them is cancelled, and then all
   * that belongs to it is removed, in the background. `removal` says how far that has got, and in the end there is no such
   * tenant. Can be called again. Errors: not_found, version_conflict; unprocessable for `default`.
   */
  async delete(id: string, options?: ChangeOptions): Promise<TenantView> {
    const checked = checkTenantId(id)
    if (checked === defaultTenantId) {
      throw new OuthookError(
        'unprocessable',
        'the tenant default cannot be deleted; delete its endpoints instead',
      )
    }
    const deletion = this.#options.store.deleteTenant(checked, options)
    const tenant = await announceAfter(deletion, () => this.#changed(checked))
    if (tenant === null) throw notFound('tenant')
    this.#options.onDelete(checked)
    return view(tenant)
  }

  /**
   * The id of the live tenant with this id or uid. Remembered for some seconds, for it is asked with every call.
   * Errors: not_found.
   */
  resolve(name: string): string | Promise<string> {
    return this.#names.resolve(name)
  }

  /** As if it did not exist. */
  refuse(name: string): never {
    return refuseTenant(name)
  }

  /** The live tenant of the object with this id; null: there is no such object. */
  async tenantOf(objectId: string): Promise<string | null> {
    const id = await this.#options.store.findTenantOf(objectId)
    return id === null || (await this.#names.find(id)) === null ? null : id
  }

  /** Another process has changed tenants. */
  forgetNames(): void {
    this.#names.forget()
  }

  /** The id of the tenant that has the uid, where there is one. */
  async #insert(input: TenantInput): Promise<TenantView | string> {
    const { store, ids } = this.#options
    const { uid = null, name = '', metadata = null, settings } = this.#check(input)
    const id = ids.next(idPrefixes.tenant)
    const insertion = store.insertTenant({
      id,
      uid,
      name,
      metadata,
      settings: { ...defaultTenantSettings, ...settings },
    })
    const result = await announceAfter(insertion, () => this.#changed(id))
    return result.kind === 'inserted' ? view(result.tenant) : result.tenantId
  }

  #changed(id: string): void {
    this.#names.forget()
    this.#options.onChange(id)
  }

  #check(input: TenantInput): TenantPatch {
    if (typeof input !== 'object' || input === null || Array.isArray(input)) {
      throw new OuthookError('unprocessable', 'a tenant is given as an object such as { uid, name }')
    }
    const unknown = Object.keys(input).find((name) => !inputMembers.includes(name))
    if (unknown !== undefined) {
      const shown = JSON.stringify(unknown.slice(0, 64))
      throw new OuthookError(
        'unprocessable',
        `${shown} is not a member of a tenant; the members are ${inputMembers.join(', ')}`,
      )
    }
    const { uid, name, metadata, settings } = input
    return {
      ...(uid !== undefined && { uid: uid === null ? null : this.#checkUid(uid) }),
      ...(name !== undefined && { name: checkName(name) }),
      ...(metadata !== undefined && { metadata: parseMetadata(metadata) }),
      ...(settings !== undefined && { settings: readTenantSettings(settings, this.#options) }),
    }
  }

  #checkUid(uid: unknown): string {
    const checked = checkUid(uid)
    if (!checked.startsWith(`${idPrefixes.tenant}_`)) return checked
    throw new OuthookError('unprocessable', 'uid must not begin with "ten_", as ids of tenants do')
  }
}

export function checkTenantId(id: string): string {
  return checkId(id, idPrefixes.tenant, 'tenant')
}

function checkName(name: unknown): string {
  checkText(name, 'name')
  if (typeof name === 'string' && isWithin(name, limits.maxTenantNameChars)) return name
  throw new OuthookError(
    'unprocessable',
    `name must be text of at most ${limits.maxTenantNameChars} characters`,
  )
}

function uidTaken(uid: unknown, owner: string): OuthookError {
  return new OuthookError('conflict', `uid "${uid}" belongs to ${owner}`)
}

function view({ settings, ...tenant }: Tenant): TenantView {
  const state = tenant.deletedAt === null ? 'active' : 'deleting'
  return { ...tenant, settings: viewTenantSettings(settings), state }
}
