import { parseStoredHeaders } from '../core/custom-headers.ts'
import { OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import type { FilterInput, FilterJson } from '../core/filter/condition.ts'
import { parseFilter } from '../core/filter/parse-filter.ts'
import type { IdFactory } from '../core/ids.ts'
import type { Subscription } from '../core/model.ts'
import type { RetryPolicies } from '../core/retry-policies.ts'
import { checkTopicPatterns } from '../core/topics.ts'
import type { ChangeOptions } from '../core/version.ts'
import { type Kinds, kinds } from '../destinations/kinds.ts'
import type { ConfigStore, Page, PageRequest, SubscriptionPatch, TenantStore } from '../store/port.ts'
import { announceAfter } from './announce-after.ts'
import { kindOf, refuseMembers } from './endpoint-kind.ts'
import { checkFilter, checkId, checkPage, notFound } from './page.ts'
import {
  type PreviewInput,
  type PreviewResult,
  type PreviewStore,
  previewSubscription,
} from './subscription-preview.ts'
import { type SubscriptionView, viewSubscriptions } from './subscription-view.ts'

export interface SubscriptionInput {
  readonly endpointId: string
  readonly topicPatterns: readonly string[]
  /**
   * What payloads have to be like, such as `{ order: { total: { $gte: 100 } } }`: an event of another payload is not
   * delivered. Null, the default, and `{}`: they may be anything.
   */
  readonly filter?: FilterInput | null
  /**
   * At most 32, sent with each request that its deliveries make, beside those of the endpoint, over which these win.
   * Names that the sender sets itself and names of secrets are refused.
   */
  readonly headers?: Readonly<Record<string, string>>
  /** A profile's name, a policy object as in the API (snake_case JSON), or null for that of the endpoint, the tenant or the server. */
  readonly retryPolicy?: unknown
  /**
   * Events with the same ordering key are delivered one after the other, in the order in which they were published.
   * Default false; it cannot be changed.
   */
  readonly ordered?: boolean
  /** False: events do not go to it until it is true. Default true. */
  readonly active?: boolean
}

export interface SubscriptionChange {
  readonly topicPatterns?: readonly string[]
  /** Null: none. */
  readonly filter?: FilterInput | null
  /** In place of all that stand. */
  readonly headers?: Readonly<Record<string, string>>
  readonly retryPolicy?: unknown
  readonly active?: boolean
  /** Cannot be changed: only what it is already is taken. */
  readonly ordered?: boolean
}

export interface SubscriptionsOptions {
  readonly store: ConfigStore & PreviewStore & Pick<TenantStore, 'getTenant'>
  readonly retryPolicies: RetryPolicies
  readonly ids: IdFactory
  readonly words: FaceWords
  /** Default: all that there are. */
  readonly kinds?: Kinds | undefined
  /** The tenant's routing is no longer what it was. */
  readonly onChange: (tenantId: string) => void
}

export class Subscriptions {
  readonly #options: SubscriptionsOptions

  constructor(options: SubscriptionsOptions) {
    this.#options = options
  }

  /** Errors: unprocessable, endpoint_not_available. */
  async create(tenantId: string, input: SubscriptionInput): Promise<SubscriptionView> {
    const { store, ids, words, retryPolicies, onChange } = this.#options
    await this.#refuseHeaders(tenantId, checkId(input.endpointId, 'ep', 'endpoint'), input.headers)
    const insertion = store.insertSubscription({
      id: ids.next('sub'),
      tenantId,
      endpointId: checkId(input.endpointId, 'ep', 'endpoint'),
      topicPatterns: checkTopicPatterns(input.topicPatterns, words.member('topic_patterns')),
      filter: readFilter(input.filter),
      headers: parseStoredHeaders(input.headers),
      retryPolicy: retryPolicies.read(input.retryPolicy, words.member('retry_policy')),
      active: checkActive(input.active),
      ordered: checkOrdered(input.ordered === undefined ? false : input.ordered, words),
      own: false,
    })
    const result = await announceAfter(insertion, () => onChange(tenantId))
    if (result.kind === 'endpoint_not_available') {
      throw new OuthookError('endpoint_not_available', `no endpoint ${input.endpointId}; create it first`)
    }
    return this.#view(result.subscription)
  }

  /** Errors: not_found. */
  async get(
    tenantId: string,
    id: string,
    options: { readonly includeDeleted?: boolean } = {},
  ): Promise<SubscriptionView> {
    const subscription = await this.#options.store.getSubscription(tenantId, checkSubscriptionId(id), options)
    if (subscription === null) throw notFound('subscription')
    return this.#view(subscription)
  }

  async list(
    tenantId: string,
    page: Partial<PageRequest> & { readonly endpointId?: string; readonly includeDeleted?: boolean } = {},
  ): Promise<Page<SubscriptionView>> {
    const { store } = this.#options
    const found = await store.listSubscriptions(tenantId, { ...checkFilter(page), ...checkPage(page) })
    return { ...found, items: await viewSubscriptions(this.#options, found.items) }
  }

  /** Absent members stay. Errors: not_found, conflict (deleted, or another `ordered`), unprocessable, version_conflict. */
  async update(
    tenantId: string,
    id: string,
    change: SubscriptionChange,
    options?: ChangeOptions,
  ): Promise<SubscriptionView> {
    const { words, retryPolicies } = this.#options
    const patch: SubscriptionPatch = {
      ...(change.topicPatterns !== undefined && {
        topicPatterns: checkTopicPatterns(change.topicPatterns, words.member('topic_patterns')),
      }),
      ...(change.filter !== undefined && { filter: readFilter(change.filter) }),
      ...(change.headers !== undefined && { headers: parseStoredHeaders(change.headers) }),
      ...(change.retryPolicy !== undefined && {
        retryPolicy: retryPolicies.read(change.retryPolicy, words.member('retry_policy')),
      }),
      ...(change.active !== undefined && { active: checkActive(change.active) }),
    }
    const { store, onChange } = this.#options
    if (change.headers !== undefined) {
      const before = await store.getSubscription(tenantId, checkSubscriptionId(id))
      if (before !== null) await this.#refuseHeaders(tenantId, before.endpointId, change.headers)
    }
    if (change.ordered !== undefined) await this.#checkUnchanged(tenantId, id, change.ordered)
    const update = store.updateSubscription(tenantId, checkSubscriptionId(id), patch, options)
    const updated = await announceAfter(update, () => onChange(tenantId))
    return updated === null ? this.#refuseMissing(tenantId, id) : this.#view(updated)
  }

  /**
   * Which of the newest events a subscription with this filter and these topics would have got, or whether it would get
   * a payload, and for each that it would not why. Nothing is changed. Errors: unprocessable, invalid_payload.
   *
   * @example
   * await hooks.subscriptions.preview({ filter: { total: { $gte: 100 } }, topicPatterns: ['orders.*'] })
   */
  async preview(tenantId: string, input: PreviewInput): Promise<PreviewResult> {
    const { store, words } = this.#options
    return previewSubscription(store, tenantId, { input, words })
  }

  /** Of an endpoint of a kind that takes none. Errors: unprocessable. */
  async #refuseHeaders(tenantId: string, endpointId: string, headers: object | undefined): Promise<void> {
    if (headers === undefined || Object.keys(headers).length === 0) return
    const endpoint = await this.#options.store.getEndpoint(tenantId, endpointId)
    const { kinds: known = kinds, words } = this.#options
    if (endpoint !== null) refuseMembers({ headers: {} }, kindOf(endpoint, known), words)
  }

  async #checkUnchanged(tenantId: string, id: string, ordered: boolean): Promise<void> {
    const { store, words } = this.#options
    const subscription = await store.getSubscription(tenantId, checkSubscriptionId(id))
    if (subscription === null) return this.#refuseMissing(tenantId, id)
    if (subscription.ordered === checkOrdered(ordered, words)) return
    throw new OuthookError(
      'conflict',
      `${words.member('ordered')} cannot be changed; make another subscription, and delete this one`,
      { title: 'ordered immutable' },
    )
  }

  async #view(subscription: Subscription): Promise<SubscriptionView> {
    const [view] = await viewSubscriptions(this.#options, [subscription])
    return view as SubscriptionView
  }

  async #refuseMissing(tenantId: string, id: string): Promise<never> {
    const deleted = await this.#options.store.getSubscription(tenantId, id, { includeDeleted: true })
    if (deleted === null) throw notFound('subscription')
    throw new OuthookError('conflict', 'the subscription was deleted; make another one', {
      title: 'subscription deleted',
    })
  }

  /** Its waiting deliveries are cancelled. Errors: not_found, version_conflict. */
  async delete(tenantId: string, id: string, options?: ChangeOptions): Promise<void> {
    const { store, onChange } = this.#options
    const deletion = store.deleteSubscription(tenantId, checkSubscriptionId(id), options)
    if (!(await announceAfter(deletion, () => onChange(tenantId)))) throw notFound('subscription')
  }
}

/** As it is kept. */
export function readFilter(given: unknown): FilterJson | null {
  return parseFilter(given)?.json ?? null
}

function checkActive(active: unknown = true): boolean {
  if (typeof active === 'boolean') return active
  throw new OuthookError('unprocessable', 'active must be true or false')
}

function checkOrdered(value: unknown, words: FaceWords): boolean {
  if (typeof value === 'boolean') return value
  throw new OuthookError('unprocessable', `${words.member('ordered')} must be true or false`)
}

function checkSubscriptionId(id: string): string {
  return checkId(id, 'sub', 'subscription')
}
