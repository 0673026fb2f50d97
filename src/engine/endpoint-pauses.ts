/** Endpoints that are paused by hand, and their way back. */
import { OuthookError } from '../core/errors.ts'
import type { ConfigStore, EndpointPatch } from '../store/port.ts'
import { announceAfter } from './announce-after.ts'
import { checkDescription, checkEndpointId } from './endpoint-checks.ts'
import type { EndpointView } from './endpoint-view.ts'
import type { Endpoints } from './endpoints.ts'
import { notFound } from './page.ts'

export interface PauseOptions {
  /** Why, for whoever looks at the endpoint. */
  readonly reason?: string
  /** Who, as whoever pauses it wants to be called. */
  readonly by?: string | null
}

export interface EndpointPausesOptions {
  readonly store: Pick<ConfigStore, 'updateEndpoint'>
  readonly endpoints: Pick<Endpoints, 'get'>
  /** The tenant's routing is no longer what it was, and deliveries may have to be parked or sent. */
  readonly onChange: (tenantId: string, endpointId: string) => void
}

export class EndpointPauses {
  readonly #options: EndpointPausesOptions

  constructor(options: EndpointPausesOptions) {
    this.#options = options
  }

  /**
   * Nothing is sent to it until it is resumed, whatever else happens; its deliveries wait. Paused again, it has the new
   * reason. Errors: not_found, conflict (it is disabled), unprocessable (the reason).
   */
  async pause(tenantId: string, id: string, options: PauseOptions = {}): Promise<EndpointView> {
    const { disabledReason } = await this.#options.endpoints.get(tenantId, id)
    if (disabledReason !== null && disabledReason !== 'paused') {
      throw new OuthookError(
        'conflict',
        'the endpoint is disabled, so nothing is sent to it anyway; enable it first',
      )
    }
    const pausedReason = options.reason === undefined ? null : checkDescription(options.reason, 'reason')
    const pause = { pausedReason, pausedBy: options.by ?? null }
    return this.#patch(tenantId, id, { disabledReason: 'paused', pause })
  }

  /**
   * Sends to an endpoint again that is paused by hand or disabled, what waited for it included; `Jobs.skipBacklog` does so
   * without that. Errors: not_found.
   */
  async enable(tenantId: string, id: string): Promise<EndpointView> {
    return this.#patch(tenantId, checkEndpointId(id), { disabledReason: null })
  }

  /** Errors: not_found, conflict (it is not paused by hand). */
  async checkPaused(tenantId: string, id: string): Promise<void> {
    const { disabledReason } = await this.#options.endpoints.get(tenantId, id)
    if (disabledReason === 'paused') return
    throw new OuthookError(
      'conflict',
      disabledReason === null
        ? 'the endpoint is not paused by hand; a pause after failures ends by itself'
        : 'the endpoint is disabled, not paused; enable it',
    )
  }

  async #patch(tenantId: string, id: string, patch: EndpointPatch): Promise<EndpointView> {
    const { store, endpoints, onChange } = this.#options
    const result = await announceAfter(store.updateEndpoint(tenantId, id, patch), () =>
      onChange(tenantId, id),
    )
    if (result?.kind !== 'updated') throw notFound('endpoint')
    return endpoints.get(tenantId, id)
  }
}
