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
  /** Endpoints, and of direct sends tenants. */
  readonly #owners = new Map<string, OwnerCells>()
  readonly #tenants = new Map<string, OwnerCells>()

  /** `endpointId` null: a direct send to a URL. */
  add({ tenantId, endpointId }: StatOwner, cell: number): void {
    const id = endpointId ?? tenantId
    let known = this.#owners.get(id)
    if (known === undefined) {
      known = { tenantId, endpointId: id, cells: new Map() }
      this.#owners.set(id, known)
    }
    count(known, cell, 1)
  }

  addToTenant(tenantId: string, cell: number): void {
    let known = this.#tenants.get(tenantId)
    if (known === undefined) {
      known = { tenantId, endpointId: null, cells: new Map() }
      this.#tenants.set(tenantId, known)
    }
    count(known, cell, 1)
  }

  /** It is not used afterwards. */
  mergeInto(other: StatDeltas): void {
    merge(this.#owners, other.#owners)
    merge(this.#tenants, other.#tenants)
  }

  write(statements: StatementCache, memory: WriterMemory, now: number): void {
    const all = [...this.#tenants.values(), ...this.#owners.values()]
    if (all.length === 0) return
    const minute = Math.floor(now / minuteMs)
    const insert = statements.prepare(
      'insert into stats_deltas (tenant_id, endpoint_id, minute, cells) values (?, ?, ?, ?)',
    )
    for (const { tenantId, endpointId, cells } of all) {
      const endpoint = endpointId === null ? ofTenantAlone : memory.bytes(endpointId)
      insert.run(memory.bytes(tenantId), endpoint, minute, packCells(cells))
    }
  }
}

function count({ cells }: OwnerCells, cell: number, times: number): void {
  cells.set(cell, (cells.get(cell) ?? 0) + times)
}

function merge(from: ReadonlyMap<string, OwnerCells>, into: Map<string, OwnerCells>): void {
  for (const [id, owner] of from) {
    const known = into.get(id)
    if (known === undefined) into.set(id, owner)
    else for (const [cell, times] of owner.cells) count(known, cell, times)
  }
}
