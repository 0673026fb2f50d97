/**
 * Which tenant an id or uid names. Remembered for some seconds: a program that publishes for a tenant names it with each
 * event. Whatever is remembered too long does no harm, because a publish asks the tenant's routing, whose version the
 * store compares.
 */
import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import { parseId } from '../core/ids.ts'
import { defaultTenantId } from '../core/model.ts'
import { checkText } from '../core/text.ts'
import type { TenantStore } from '../store/port.ts'

const rememberMs = 5000
const maxRemembered = 10_000

export interface TenantNamesOptions {
  readonly store: Pick<TenantStore, 'getTenant' | 'getTenantByUid'>
  readonly clock: Pick<Clock, 'elapsed'>
}

export class TenantNames {
  readonly #options: TenantNamesOptions
  readonly #known = new Map<string, { readonly id: string; readonly until: number }>()
  /** An answer that was under way when the names were forgotten may be older than that: it is not kept. */
  #forgotten = 0

  constructor(options: TenantNamesOptions) {
    this.#options = options
  }

  resolve(name: string): string | Promise<string> {
    const found = this.find(name)
    return found instanceof Promise
      ? found.then((id) => id ?? refuseTenant(name))
      : (found ?? refuseTenant(name))
  }

  /** Null: no live tenant has this id or uid. */
  find(name: string): string | null | Promise<string | null> {
    if (name === defaultTenantId) return name
    if (typeof name !== 'string' || name === '') {
      throw new OuthookError('invalid_request', 'tenant must be the id or the uid of a tenant')
    }
    checkText(name, 'tenant')
    const known = this.#known.get(name)
    if (known !== undefined && known.until > this.#options.clock.elapsed()) return known.id
    return this.#ask(name)
  }

  forget(): void {
    this.#forgotten++
    this.#known.clear()
  }

  async #ask(name: string): Promise<string | null> {
    const { store, clock } = this.#options
    const before = this.#forgotten
    const id = parseId(name, 'ten')
    const tenant = id === null ? await store.getTenantByUid(name) : await store.getTenant(id)
    if (tenant === null || tenant.deletedAt !== null) return null
    if (before === this.#forgotten) {
      if (this.#known.size >= maxRemembered) this.#known.clear()
      this.#known.set(name, { id: tenant.id, until: clock.elapsed() + rememberMs })
    }
    return tenant.id
  }
}

/** It does not exist, or not for whoever asks. */
export function refuseTenant(name: string): never {
  const shown = JSON.stringify(name.slice(0, 64))
  throw new OuthookError('not_found', `there is no tenant ${shown}; give the id or the uid of one`, {
    title: 'tenant not found',
  })
}
