/**
 * Deliveries in memory that wait for a slot: round-robin over tenants, each with as many turns in a row as its weight,
 * within a tenant over its targets.
 *
 * Every delivery costs one turn. A deficit counter would only matter if turns had different prices; requests
 * have about the same, and what differs (how long a receiver takes) is bounded by slots, not by turns.
 *
 * Tenants and targets stand in rings that a turn walks on, so that serving one moves a pointer and nothing else.
 */
export interface Queued {
  readonly tenantId: string
  readonly targetId: string
}

/** `taken`: it left the queue. `skip`: nothing of its target may go now. `stop`: nothing at all may. */
export type Verdict = 'taken' | 'skip' | 'stop'

interface TargetLine<T> {
  readonly id: string
  items: T[]
  /** Where the first item stands; those before it were taken. */
  head: number
  /** The last `serve` in which it was passed over. */
  skippedIn: number
}

interface TenantTurn<T> {
  readonly id: string
  readonly targets: Ring<TargetLine<T>>
  skippedIn: number
  weight: number
  /** Of its turns in a row, how many it has had. */
  had: number
}

export class FairQueue<T extends Queued> {
  readonly #tenants = new Ring<TenantTurn<T>>()
  readonly #weightOf: (item: T) => number
  #size = 0
  #serves = 0

  /** @param weightOf the weight of the item's tenant. Default: equal ones */
  constructor(weightOf: (item: T) => number = () => 1) {
    this.#weightOf = weightOf
  }

  get size(): number {
    return this.#size
  }

  push(item: T): void {
    const tenant = this.#tenants.getOrAdd(item.tenantId, newTenant)
    tenant.weight = this.#weightOf(item)
    const line = tenant.targets.getOrAdd(item.targetId, newLine)
    ;(line as TargetLine<T>).items.push(item)
    this.#size++
  }

  /**
   * Offers items in turn, the first of each target, until `offer` says stop or every target was passed over. A target
   * that is passed over keeps its turn for the next time.
   */
  serve(offer: (item: T) => Verdict): void {
    const serve = ++this.#serves
    for (let left = this.#tenants.size; left > 0; ) {
      const tenant = this.#tenants.current as TenantTurn<T>
      if (tenant.skippedIn === serve) {
        this.#tenants.moveOn()
        left--
        continue
      }
      const verdict = this.#serveTenant(tenant, serve, offer)
      if (verdict === 'stop') return
      if (verdict === 'skip') {
        tenant.skippedIn = serve
        tenant.had = 0
        continue
      }
      if (tenant.targets.size === 0) this.#tenants.removeCurrent()
      else if (++tenant.had >= tenant.weight) {
        tenant.had = 0
        this.#tenants.moveOn()
      }
      left = this.#tenants.size
    }
  }

  /** Offers the tenant's targets until one item is taken. */
  #serveTenant(tenant: TenantTurn<T>, serve: number, offer: (item: T) => Verdict): Verdict {
    const { targets } = tenant
    for (let left = targets.size; left > 0; left--) {
      const line = targets.current as TargetLine<T>
      if (line.skippedIn !== serve) {
        const verdict = offer(line.items[line.head] as T)
        if (verdict === 'stop') return 'stop'
        if (verdict === 'taken') {
          this.#takeFirst(line)
          if (line.items.length === 0) targets.removeCurrent()
          else targets.moveOn()
          return 'taken'
        }
        line.skippedIn = serve
      }
      targets.moveOn()
    }
    return 'skip'
  }

  #takeFirst(line: TargetLine<T>): void {
    this.#size--
    line.head++
    // The front is cut off now and then, so that taking one costs nothing that grows with the line.
    if (line.head === line.items.length || line.head >= 64) {
      line.items = line.items.slice(line.head)
      line.head = 0
    }
  }

  /** Takes out all that `judge` names; the order of turns stays. */
  remove(judge: (item: T) => boolean): T[] {
    const removed: T[] = []
    this.#tenants.filter((tenant) => {
      tenant.targets.filter((line) => {
        const kept: T[] = []
        for (const item of line.items.slice(line.head)) (judge(item) ? removed : kept).push(item)
        line.items = kept
        line.head = 0
        return kept.length > 0
      })
      return tenant.targets.size > 0
    })
    this.#size -= removed.length
    return removed
  }

  /** Empties the queue. */
  drain(): T[] {
    return this.remove(() => true)
  }
}

function newTenant<T>(id: string): TenantTurn<T> {
  return { id, targets: new Ring(), skippedIn: 0, weight: 1, had: 0 }
}

function newLine<T>(id: string): TargetLine<T> {
  return { id, items: [], head: 0, skippedIn: 0 }
}

interface RingNode<V> {
  readonly value: V
  next: RingNode<V>
  previous: RingNode<V>
}

/** Values by id, in a circle with a pointer. What is added comes last, seen from the pointer. */
class Ring<V extends { readonly id: string }> {
  readonly #nodes = new Map<string, RingNode<V>>()
  #current: RingNode<V> | null = null

  get size(): number {
    return this.#nodes.size
  }

  get current(): V | undefined {
    return this.#current?.value
  }

  getOrAdd(id: string, create: (id: string) => V): V {
    const known = this.#nodes.get(id)
    if (known !== undefined) return known.value
    const node = { value: create(id) } as RingNode<V>
    node.next = this.#current ?? node
    node.previous = this.#current?.previous ?? node
    node.previous.next = node
    node.next.previous = node
    this.#current ??= node
    this.#nodes.set(id, node)
    return node.value
  }

  moveOn(): void {
    this.#current = this.#current?.next ?? null
  }

  /** The next one becomes the current one. */
  removeCurrent(): void {
    if (this.#current !== null) this.#remove(this.#current)
  }

  filter(keep: (value: V) => boolean): void {
    const first = this.#current
    const nodes: RingNode<V>[] = []
    for (let node = first; node !== null; node = node.next === first ? null : node.next) nodes.push(node)
    for (const node of nodes) if (!keep(node.value)) this.#remove(node)
  }

  #remove(node: RingNode<V>): void {
    this.#nodes.delete(node.value.id)
    node.previous.next = node.next
    node.next.previous = node.previous
    if (this.#current === node) this.#current = this.#nodes.size === 0 ? null : node.next
  }
}
