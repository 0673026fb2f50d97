/**
 * What the writer knows without asking the database. Only it changes these rows, so its copies stay true;
 * after a rollback that undid changes they are dropped, and read again when next needed. Of the leases it has the only
 * copy that says until when they are; those are put back instead.
 */
import { bytesToId, idPrefixes, idToBytes } from '../../../core/ids.ts'
import type { EndpointHealth } from '../../../core/model.ts'
import { fullBucket, type RateBucket } from '../../../core/rate-limit.ts'
import { defaultTenantSettings } from '../../../core/tenant.ts'
import { type HealthRow, toHealth } from '../../rows.ts'
import { Leases } from '../claim/leases.ts'
import type { StatementCache } from '../connection/statement-cache.ts'
import { KeySpace } from '../rows/key-space.ts'
import { Names } from '../rows/names.ts'
import { KeptTime } from './kept-time.ts'

export interface EndpointFacts {
  readonly tenantId: string
  readonly maxInFlight: number
  readonly rateLimitRps: number | null
  readonly disabled: boolean
  readonly deleted: boolean
}

interface SubscriptionFacts {
  readonly deleted: boolean
  readonly ordered: boolean
}

export interface TargetHealth {
  readonly health: EndpointHealth
  /** The delivery that tries the endpoint after a pause, until the end of its lease. */
  readonly probe: { readonly deliveryId: string; readonly until: number } | null
}

/** Whose delivery it is. */
interface Owners {
  readonly endpointId: string | null
  readonly subscriptionId: string | null
}

interface ProbedHealthRow extends HealthRow {
  readonly probe_delivery_id: Uint8Array | null
  readonly probe_until: number | null
}

const maxCached = 50_000

const nothingUnwritten = { has: () => false, entries: () => [] }

export class WriterMemory {
  readonly leases: Leases = new Leases()
  readonly time: KeptTime = new KeptTime()
  readonly names: Names
  readonly eventKeys: KeySpace
  readonly deliveryKeys: KeySpace
  readonly #statements: StatementCache
  readonly #routingVersions = new Map<string, number>()
  readonly #weights = new Map<string, number>()
  readonly #endpoints = new Map<string, EndpointFacts | null>()
  readonly #subscriptions = new Map<string, SubscriptionFacts>()
  readonly #deletedTenants = new Map<string, boolean>()
  readonly #idBytes = new Map<string, Uint8Array>()
  #health: Map<string, TargetHealth> | null = null
  #buckets: Map<string, RateBucket> | null = null
  /** Changes since the transaction (or savepoint) began: a rollback must drop the copies. */
  #touched = false

  constructor(statements: StatementCache) {
    this.#statements = statements
    this.names = new Names(statements)
    this.eventKeys = new KeySpace(statements, {
      tables: ['events'],
      unwritten: nothingUnwritten,
      toId: (bytes) => bytesToId(idPrefixes.event, bytes),
    })
    this.deliveryKeys = new KeySpace(statements, {
      tables: ['live_deliveries', 'deliveries'],
      unwritten: this.leases,
      toId: (bytes) => bytesToId(idPrefixes.delivery, bytes),
    })
  }

  /** The bytes of an id that comes up often: of a tenant, endpoint, subscription or key. */
  bytes(id: string): Uint8Array {
    const known = this.#idBytes.get(id)
    if (known !== undefined) return known
    const bytes = idToBytes(id)
    keep(this.#idBytes, id, bytes)
    return bytes
  }

  /** 0: the tenant has no configuration yet. */
  routingVersion(tenantId: string): number {
    const known = this.#routingVersions.get(tenantId)
    if (known !== undefined) return known
    const row = this.#statements
      .prepare('select routing_version from tenants where id = ?')
      .get(this.bytes(tenantId))
    const version = row === undefined ? 0 : (row.routing_version as number)
    keep(this.#routingVersions, tenantId, version)
    return version
  }

  /** In the fairness over tenants. */
  weight(tenantId: string): number {
    const known = this.#weights.get(tenantId)
    if (known !== undefined) return known
    const row = this.#statements
      .prepare(`select settings ->> 'weight' as weight from tenants where id = ?`) // primary key
      .get(this.bytes(tenantId))
    const weight = (row?.weight as number | null | undefined) ?? defaultTenantSettings.weight
    keep(this.#weights, tenantId, weight)
    return weight
  }

  endpoint(id: string): EndpointFacts | null {
    const known = this.#endpoints.get(id)
    if (known !== undefined) return known
    const row = this.#statements.prepare('select * from endpoints where id = ?').get(this.bytes(id))
    const facts: EndpointFacts | null =
      row === undefined
        ? null
        : {
            tenantId: bytesToId(idPrefixes.tenant, row.tenant_id as Uint8Array),
            maxInFlight: row.max_in_flight as number,
            rateLimitRps: row.rate_limit_rps as number | null,
            disabled: row.disabled_reason !== null,
            deleted: row.deleted_at !== null,
          }
    keep(this.#endpoints, id, facts)
    return facts
  }

  subscription(id: string): SubscriptionFacts {
    const known = this.#subscriptions.get(id)
    if (known !== undefined) return known
    const row = this.#statements
      .prepare('select deleted_at, ordered from subscriptions where id = ?')
      .get(this.bytes(id))
    const facts = { deleted: row === undefined || row.deleted_at !== null, ordered: row?.ordered === 1 }
    keep(this.#subscriptions, id, facts)
    return facts
  }

  /** Nobody may attempt it any more: what it belongs to is deleted. */
  isForNobody(owners: Owners & { readonly tenantId: string }): boolean {
    // The endpoints of a tenant are deleted with it; a send to a URL has none.
    return owners.endpointId === null ? this.#isTenantDeleted(owners.tenantId) : this.isOfDeleted(owners)
  }

  #isTenantDeleted(id: string): boolean {
    const known = this.#deletedTenants.get(id)
    if (known !== undefined) return known
    const row = this.#statements.prepare('select deleted_at from tenants where id = ?').get(this.bytes(id)) // primary key
    const deleted = row !== undefined && row.deleted_at !== null
    keep(this.#deletedTenants, id, deleted)
    return deleted
  }

  /** Its endpoint or its subscription is deleted. */
  isOfDeleted({ endpointId, subscriptionId }: Owners): boolean {
    return (
      (endpointId !== null && this.endpoint(endpointId)?.deleted !== false) ||
      (subscriptionId !== null && this.subscription(subscriptionId).deleted)
    )
  }

  health(targetId: string): TargetHealth | null {
    return this.#allHealth().get(targetId) ?? null
  }

  /**
   * No earlier than this may the target be claimed: the end of its pause, of the probe that is out, or of its wait for
   * a token.
   */
  blockedUntil(targetId: string, now: number): number | null {
    const known = this.#allHealth().get(targetId)
    const pausedUntil = known?.health.pausedUntil ?? 0
    const probeUntil = pausedUntil === 0 ? 0 : (known?.probe?.until ?? 0)
    const until = Math.max(pausedUntil, probeUntil, this.bucket(targetId).limitedUntil)
    return until > now ? until : null
  }

  setHealth(targetId: string, value: TargetHealth | null): void {
    this.#touched = true
    if (value === null) this.#allHealth().delete(targetId)
    else this.#allHealth().set(targetId, value)
  }

  /** Of a target with a rate. */
  bucket(targetId: string): RateBucket {
    return this.#allBuckets().get(targetId) ?? fullBucket
  }

  /** Null: its target has no rate any more. */
  setBucket(targetId: string, bucket: RateBucket | null): void {
    this.#touched = true
    if (bucket === null) this.#allBuckets().delete(targetId)
    else this.#allBuckets().set(targetId, bucket)
  }

  /** Configuration changed: everything cached of it is read again. */
  configChanged(): void {
    this.#touched = true
    this.#routingVersions.clear()
    this.#weights.clear()
    this.#endpoints.clear()
    this.#subscriptions.clear()
    this.#deletedTenants.clear()
  }

  beginTick(now: number): void {
    this.leases.beginTick(now)
    this.beginUnit()
  }

  beginUnit(): void {
    this.#touched = false
    this.leases.beginUnit()
    this.names.beginUnit()
    this.eventKeys.beginUnit()
    this.deliveryKeys.beginUnit()
  }

  /** The call since `beginUnit` was rolled back. */
  undoUnit(): void {
    this.leases.undoUnit()
    this.names.undoUnit()
    this.eventKeys.undoUnit()
    this.deliveryKeys.undoUnit()
    if (this.#touched) this.#forgetRows()
  }

  /** The whole tick was rolled back. */
  undoTick(): void {
    this.time.undo()
    this.leases.undoTick()
    this.names.forget()
    this.eventKeys.forget()
    this.deliveryKeys.forget()
    this.#forgetRows()
  }

  /** Rows were changed past this memory. */
  forget(): void {
    this.#forgetRows()
  }

  #forgetRows(): void {
    this.#routingVersions.clear()
    this.#weights.clear()
    this.#endpoints.clear()
    this.#subscriptions.clear()
    this.#deletedTenants.clear()
    this.#health = null
    this.#buckets = null
    this.#touched = false
  }

  #allBuckets(): Map<string, RateBucket> {
    if (this.#buckets !== null) return this.#buckets
    this.#buckets = new Map()
    for (const row of this.#statements.prepare('select * from endpoint_shares').all()) {
      const bucket = { fullAt: row.full_at as number, limitedUntil: row.limited_until as number }
      this.#buckets.set(bytesToId(idPrefixes.endpoint, row.target_id as Uint8Array), bucket)
    }
    return this.#buckets
  }

  #allHealth(): Map<string, TargetHealth> {
    if (this.#health !== null) return this.#health
    const rows = this.#statements.prepare<ProbedHealthRow>('select * from endpoint_state').all()
    this.#health = new Map()
    for (const row of rows) {
      const probe =
        row.probe_delivery_id === null || row.probe_until === null
          ? null
          : { deliveryId: bytesToId(idPrefixes.delivery, row.probe_delivery_id), until: row.probe_until }
      this.#health.set(bytesToId(idPrefixes.endpoint, row.target_id), { health: toHealth(row), probe })
    }
    return this.#health
  }
}

function keep<Value>(cache: Map<string, Value>, key: string, value: Value): void {
  if (cache.size >= maxCached) cache.clear()
  cache.set(key, value)
}
