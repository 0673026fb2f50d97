/** The filters of a tenant's subscriptions, compiled. A tenant without any has no set, and pays nothing. */
import type { Subscription } from '../model.ts'
import type { FilterJson, Json } from './condition.ts'
import { evaluateFilter, type FilterVerdict } from './evaluate.ts'
import { type ParsedFilter, parseFilter } from './parse-filter.ts'

type Filtered = Pick<Subscription, 'id' | 'filter'>

export class FilterSet {
  readonly #bySubscription: ReadonlyMap<string, ParsedFilter>

  private constructor(bySubscription: ReadonlyMap<string, ParsedFilter>) {
    this.#bySubscription = bySubscription
  }

  /** Null: none of them has a filter. */
  static of(subscriptions: readonly Filtered[]): FilterSet | null {
    const filters = new Map<string, ParsedFilter>()
    for (const { id, filter } of subscriptions) {
      if (filter !== null) filters.set(id, parseKept(filter))
    }
    return filters.size === 0 ? null : new FilterSet(filters)
  }

  has(subscriptionId: string): boolean {
    return this.#bySubscription.has(subscriptionId)
  }

  /** Those of them that get the payload, which is read at most once, and not where none of them has a filter. */
  let<Each extends Filtered>(subscriptions: readonly Each[], payload: Uint8Array): readonly Each[] {
    let read: ReadPayload | null = null
    return subscriptions.filter(({ id }) => {
      const filter = this.#bySubscription.get(id)
      if (filter === undefined) return true
      read ??= readPayload(payload)
      return judgePayload(filter, read) === 'passes'
    })
  }
}

/** One that a newer version saved and this one does not know lets nothing through, and keeps no other from being used. */
export function parseKept(filter: FilterJson): ParsedFilter {
  try {
    return parseFilter(filter) ?? { json: filter, condition: { kind: 'all', conditions: [], given: filter } }
  } catch {
    return { json: filter, condition: { kind: 'any', conditions: [], given: filter } }
  }
}

/** Null: it is not JSON. */
export type ReadPayload = { readonly value: Json; readonly bytes: number } | null

export function readPayload(payload: Uint8Array): ReadPayload {
  try {
    const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8')
    return { value: JSON.parse(text) as Json, bytes: payload.byteLength }
  } catch {
    return null
  }
}

export type PayloadVerdict = FilterVerdict | 'not_json'

export function judgePayload({ condition }: ParsedFilter, payload: ReadPayload): PayloadVerdict {
  return payload === null ? 'not_json' : evaluateFilter(condition, payload.value, payload.bytes)
}
