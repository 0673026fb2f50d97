/** What a tick adds to the figures over time, gathered in memory and written once: one row for each endpoint. */
import { everything } from '../../../core/stats/fold.ts'
import type { StatementCache } from '../connection/statement-cache.ts'
import { packCells } from '../rows/stat-cells.ts'
import type { WriterMemory } from '../threads/writer-memory.ts'

interface OwnerCells {
  readonly tenantId: string
  /** Null: the tenant's own. */
  readonly endpointId: string | null
  /** By cell, how often. */
  readonly cells: Map<number, number>
}

export interface StatOwner {
  readonly tenantId: string
  readonly endpointId: string | null
}

const minuteMs = 60_000
const ofTenantAlone = Buffer.from(everything, 'hex')

export class StatDeltas {
  readonly #owners = new Map<string, OwnerCells>()

  /** `endpointId` null: a direct send to a URL. */
  add({ tenantId, endpointId }: StatOwner, cell: number): void {
    const id = endpointId ?? tenantId
    this.#count(id, { tenantId, endpointId: id }, cell, 1)
  }

  addToTenant(tenantId: string, cell: number): void {
    this.#count(`all ${tenantId}`, { tenantId, endpointId: null }, cell, 1)
  }

  #count(key: string, owner: StatOwner, cell: number, times: number): void {
    let known = this.#owners.get(key)
    if (known === undefined) {
      known = { ...owner, cells: new Map() }
      this.#owners.set(key, known)
    }
    known.cells.set(cell, (known.cells.get(cell) ?? 0) + times)
  }

  mergeInto(other: StatDeltas): void {
    for (const [key, { cells, ...owner }] of this.#owners) {
      for (const [cell, times] of cells) other.#count(key, owner, cell, times)
    }
  }

  write(statements: StatementCache, memory: WriterMemory, now: number): void {
    if (this.#owners.size === 0) return
    const minute = Math.floor(now / minuteMs)
    const insert = statements.prepare(
      'insert into stats_deltas (tenant_id, endpoint_id, minute, cells) values (?, ?, ?, ?)',
    )
    for (const { tenantId, endpointId, cells } of this.#owners.values()) {
      const endpoint = endpointId === null ? ofTenantAlone : memory.bytes(endpointId)
      insert.run(memory.bytes(tenantId), endpoint, minute, packCells(cells))
    }
  }
}
