/** Changes of the numbers of deliveries by endpoint and state, gathered in memory and written once per tick, with what it adds to the figures over time. */
import { type DeliveryState, deliveryStates } from '../../../core/model.ts'
import type { StatementCache } from '../connection/statement-cache.ts'
import type { WriterMemory } from '../threads/writer-memory.ts'
import { StatDeltas } from './stat-deltas.ts'

interface EndpointDeltas {
  readonly tenantId: string
  readonly byState: number[]
}

const stateIndex = Object.fromEntries(deliveryStates.map((state, index) => [state, index])) as Record<
  DeliveryState,
  number
>
/** Stands for "no endpoint": part of the key, so never null. */
const noEndpoint = new Uint8Array(0)
const minuteMs = 60_000

export class CountDeltas {
  readonly #byTarget = new Map<string, EndpointDeltas>()
  readonly stats = new StatDeltas()

  /** `endpointId` null: a direct send to a URL. */
  add(
    owner: { readonly tenantId: string; readonly endpointId: string | null },
    state: DeliveryState,
    by: number,
  ): void {
    const key = owner.endpointId ?? owner.tenantId
    let deltas = this.#byTarget.get(key)
    if (deltas === undefined) {
      deltas = { tenantId: owner.tenantId, byState: deliveryStates.map(() => 0) }
      this.#byTarget.set(key, deltas)
    }
    const index = stateIndex[state]
    deltas.byState[index] = (deltas.byState[index] ?? 0) + by
  }

  move(
    owner: { readonly tenantId: string; readonly endpointId: string | null },
    from: DeliveryState,
    to: DeliveryState,
  ): void {
    if (from === to) return
    this.add(owner, from, -1)
    this.add(owner, to, 1)
  }

  mergeInto(other: CountDeltas): void {
    this.stats.mergeInto(other.stats)
    for (const [key, deltas] of this.#byTarget) {
      const there = other.#byTarget.get(key)
      if (there === undefined) {
        other.#byTarget.set(key, deltas)
        continue
      }
      for (const [index, delta] of deltas.byState.entries()) {
        there.byState[index] = (there.byState[index] ?? 0) + delta
      }
    }
  }

  write(statements: StatementCache, memory: WriterMemory, now: number): void {
    this.stats.write(statements, memory, now)
    const minute = Math.floor(now / minuteMs)
    const upsert = statements.prepare(
      `insert into delivery_counts (tenant_id, endpoint_id, state, minute, delta) values (?, ?, ?, ?, ?)
       on conflict do update set delta = delta + excluded.delta`,
    )
    for (const [key, deltas] of this.#byTarget) {
      const tenant = memory.bytes(deltas.tenantId)
      const endpoint = key === deltas.tenantId ? noEndpoint : memory.bytes(key)
      for (const [index, delta] of deltas.byState.entries()) {
        if (delta !== 0) upsert.run(tenant, endpoint, deliveryStates[index] as string, minute, delta)
      }
    }
  }
}
