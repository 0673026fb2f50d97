import { bytesToId, idPrefixes } from '../core/ids.ts'
import type { StoredRetryPolicy, Subscription } from '../core/model.ts'
import { versionOfTime } from './row-version.ts'

export interface SubscriptionRow {
  readonly id: Uint8Array
  readonly tenant_id: Uint8Array
  readonly endpoint_id: Uint8Array
  readonly topic_patterns: string
  readonly filter: string | null
  readonly headers: string
  readonly retry_policy: string | null
  readonly ordered: number | boolean
  readonly active: number | boolean
  readonly own: number | boolean
  readonly created_at: number
  readonly updated_at: number
  readonly deleted_at: number | null
}

export function toSubscription(row: SubscriptionRow): Subscription {
  return {
    id: bytesToId(idPrefixes.subscription, row.id),
    tenantId: bytesToId(idPrefixes.tenant, row.tenant_id),
    endpointId: bytesToId(idPrefixes.endpoint, row.endpoint_id),
    topicPatterns: JSON.parse(row.topic_patterns),
    filter: row.filter === null ? null : (JSON.parse(row.filter) as Subscription['filter']),
    headers: JSON.parse(row.headers),
    retryPolicy: row.retry_policy === null ? null : (JSON.parse(row.retry_policy) as StoredRetryPolicy),
    ordered: Boolean(row.ordered),
    active: Boolean(row.active),
    own: Boolean(row.own),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
    version: versionOfTime(row.updated_at),
  }
}
