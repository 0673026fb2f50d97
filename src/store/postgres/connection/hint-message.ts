/** What one process tells the others about, gathered until it is sent, and how it travels: as small JSON. */
import { createHash } from 'node:crypto'

/** More tenants than these are told as "all": a notification holds less than 8000 bytes. */
const maxTenants = 100
/** Of more tenants the stream is asked for as of all. */
const maxAskedTenants = 20
/** What more targets are paused or no longer paused is not told; claims respect it all the same. */
const maxTargets = 40

export interface HintMessage {
  /** There is work to claim. */
  readonly work: boolean
  /** Tenants whose configuration has changed. */
  readonly tenants: readonly string[] | 'all'
  /** Targets whose pause has begun, with its end (milliseconds since the epoch), or is over (null). */
  readonly pauses: readonly (readonly [targetId: string, pausedUntil: number | null])[]
  /** Targets whose pace the sender keeps, with its requests per second. */
  readonly paces: readonly (readonly [targetId: string, perSecond: number])[]
  /** Tenants of which the sender's readers of the stream want to be told. */
  readonly asks: readonly string[] | 'all'
}

/** One per schema, whose name may be one that no channel can have. */
export function hintChannel(schema: string): string {
  return `outhook_${createHash('sha256').update(schema).digest('hex').slice(0, 16)}`
}

/** What happens in a process, for those that have asked for it. */
export function streamChannel(schema: string): string {
  return `${hintChannel(schema)}_stream`
}

export class PendingHints {
  #work = false
  #tenants = new Set<string>()
  #pauses = new Map<string, number | null>()
  #paces = new Map<string, number>()
  #asks: readonly string[] | 'all' = []

  get isEmpty(): boolean {
    const named = this.#tenants.size + this.#pauses.size + this.#paces.size + this.#asks.length
    return !this.#work && named === 0
  }

  addWork(): void {
    this.#work = true
  }

  addTenant(tenantId: string): void {
    // One more than can be told stands for all.
    if (this.#tenants.size <= maxTenants) this.#tenants.add(tenantId)
  }

  addPause(targetId: string, pausedUntil: number | null): void {
    if (this.#pauses.size < maxTargets || this.#pauses.has(targetId)) this.#pauses.set(targetId, pausedUntil)
  }

  addPace(targetId: string, perSecond: number): void {
    // More digits than anybody needs would take the room of other targets.
    if (this.#paces.size < maxTargets) this.#paces.set(targetId, Math.round(perSecond * 100) / 100)
  }

  /** In place of what was asked for before. */
  addAsk(tenants: readonly string[] | 'all'): void {
    this.#asks = tenants.length > maxAskedTenants ? 'all' : tenants
  }

  /** All that was gathered, as the payload of a notification. */
  take(): string {
    const message: HintMessage = {
      work: this.#work,
      tenants: this.#tenants.size > maxTenants ? 'all' : [...this.#tenants],
      pauses: [...this.#pauses],
      paces: [...this.#paces],
      asks: this.#asks,
    }
    this.#work = false
    this.#tenants = new Set()
    this.#pauses = new Map()
    this.#paces = new Map()
    this.#asks = []
    return JSON.stringify(message)
  }
}

/** Null: whoever sent that was no Outhook, or one that is much newer. */
export function readHintMessage(payload: string): HintMessage | null {
  let given: unknown
  try {
    given = JSON.parse(payload)
  } catch {
    return null
  }
  if (typeof given !== 'object' || given === null) return null
  const { work, tenants, pauses, paces, asks } = given as Record<keyof HintMessage, unknown>
  return {
    work: work === true,
    tenants: tenants === 'all' ? 'all' : listOf(tenants, isText),
    pauses: listOf(pauses, isPause),
    // Absent where an older process says it.
    paces: listOf(paces, isPace),
    asks: asks === 'all' ? 'all' : listOf(asks, isText),
  }
}

function listOf<T>(value: unknown, isOne: (item: unknown) => item is T): readonly T[] {
  return Array.isArray(value) ? value.filter(isOne) : []
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isPause(value: unknown): value is readonly [string, number | null] {
  return Array.isArray(value) && isText(value[0]) && (value[1] === null || typeof value[1] === 'number')
}

function isPace(value: unknown): value is readonly [string, number] {
  return isPause(value) && value[1] !== null && value[1] > 0
}
