import { type Clock, clockStepMs } from '../../../core/clock.ts'
import type { Logger } from '../../../core/logger.ts'
import {
  offsetOf,
  provenTimeLine,
  resumeTimeLine,
  type SavedTime,
  seenEveryMs,
  skippedBy,
  type TimeLine,
  withJump,
} from '../../../core/time-line.ts'
import type { StoreTime } from '../../port.ts'
import { parseSavedTime } from '../../saved-time.ts'
import { tellJump, tellResumed, tellSteady } from '../../time-notes.ts'

/** How the log calls the clock. */
const serverClock = 'the clock of the database server'

const lookEveryMs = 1000
/** A node that starts goes on a little after the last moment that was seen. */
const maxDisagreementMs = 1500
/** Somebody else changed the line at every try: the next look goes on. */
const maxTries = 8

export interface ServerReading {
  /** The server's wall clock. */
  readonly wall: number
  /** The row of the line, as it stands; null: there is none yet. */
  readonly saved: string | null
}

export interface ServerTimeOptions {
  readonly clock: Pick<Clock, 'elapsed' | 'schedule'>
  readonly logger: Logger
  readonly read: () => Promise<ServerReading>
  /** False: the row was another one already, and nothing has changed. */
  readonly keep: (change: TimeChange) => Promise<boolean>
}

export interface TimeChange {
  readonly value: string
  /** What the row has to be; null: it must not be there. */
  readonly instead: string | null
  /** What the line skips: idempotency keys that stood at `seenAt` stand so much longer. */
  readonly skippedMs: number
  readonly seenAt: number
}

/** A look at the server: its clock was read between two moments of this process's own scale. */
interface Look {
  readonly wall: number
  readonly text: string | null
  readonly saved: SavedTime | null
  readonly sentAt: number
  readonly answeredAt: number
}

/**
 * The line of a store that many nodes share. One row holds it, and all follow it: a node goes on from a look at the
 * server's clock with its own monotonic one, and looks again once a second. Statements get the moment from the node, so
 * that neither a server whose clock jumps nor a standby that takes over with another clock moves anything: the first
 * node to see it writes the new offset, and the others take that over. Nodes' wall clocks are not asked.
 */
export class ServerTime implements StoreTime {
  readonly #options: ServerTimeOptions
  #line: TimeLine
  /** The moment is this much ahead of this process's own scale. */
  #lead: number
  #last = 0
  #stopped = false
  #cancel = (): void => {}
  #looking: Promise<void> | null = null

  private constructor(options: ServerTimeOptions, line: TimeLine, lead: number) {
    this.#options = options
    this.#line = line
    this.#lead = lead
  }

  /** Goes on where the store's line is. Rejects as `read` and `keep` do. */
  static async open(options: ServerTimeOptions): Promise<ServerTime> {
    for (let tries = 1; ; tries++) {
      const look = await lookAt(options)
      const resumed = resumeTimeLine(look.saved, look.wall)
      const isKept =
        resumed.line === look.saved?.line ||
        (await options.keep({
          value: JSON.stringify({ line: resumed.line, seenAt: resumed.now } satisfies SavedTime),
          instead: look.text,
          skippedMs: skippedBy(resumed),
          seenAt: look.saved?.seenAt ?? 0,
        }))
      if (!isKept && tries < maxTries) continue
      tellResumed(options.logger, serverClock, resumed)
      const time = new ServerTime(options, resumed.line, resumed.now - (look.sentAt + look.answeredAt) / 2)
      time.#lookLater()
      return time
    }
  }

  get line(): TimeLine {
    return this.#line
  }

  readonly now = (): number => {
    this.#last = Math.max(this.#last, Math.floor(this.#options.clock.elapsed() + this.#lead))
    return this.#last
  }

  /** Compares with the server's clock. Rejects when it cannot be asked: then this process's own goes on. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#looking?.catch(() => {})
  }

  #lookLater(): void {
    if (this.#stopped) return
    this.#cancel = this.#options.clock.schedule(lookEveryMs, () => {
      const again = (): void => this.#lookLater()
      // The calls that it is for tell of a server that does not answer.
      this.look().then(again, again)
    })
  }

  async #look(): Promise<void> {
    for (let tries = 1; tries <= maxTries; tries++) {
      const look = await lookAt(this.#options)
      const wanted = this.#judge(look)
      if (wanted === null) return
      if (await this.#options.keep(changeTo(wanted.saved, look.text))) {
        this.#line = wanted.saved.line
        wanted.tell()
        return
      }
    }
  }

  /** What is to be kept, if anything. */
  #judge(look: Look): { readonly saved: SavedTime; tell(): void } | null {
    const { saved, wall } = look
    const isOthers = saved !== null && JSON.stringify(saved.line) !== JSON.stringify(this.#line)
    if (isOthers) this.#line = saved.line
    const { logger } = this.#options
    const aheadMs = this.#aheadOf(look)
    const now = this.now()
    // Somebody has seen a later moment than there can be: it was this process that stood still.
    const stoodStill = aheadMs > 0 && saved !== null && saved.seenAt > now + clockStepMs
    // Nodes that disagree agree on what one of them wrote.
    const agreesMs = isOthers ? maxDisagreementMs : clockStepMs
    if (Math.abs(aheadMs) <= agreesMs || stoodStill) {
      this.#lead += aheadMs
      return this.#steady(saved)
    }
    const line = withJump(
      this.#line,
      now,
      Math.round(wall - (look.answeredAt + look.sentAt) / 2 - this.#lead),
    )
    return { saved: { line, seenAt: now }, tell: () => tellJump(logger, serverClock, aheadMs) }
  }

  #steady(saved: SavedTime | null): { readonly saved: SavedTime; tell(): void } | null {
    const now = this.now()
    const line = provenTimeLine(this.#line, now)
    if (line !== this.#line) {
      return { saved: { line, seenAt: now }, tell: () => tellSteady(this.#options.logger, serverClock) }
    }
    if (saved !== null && now - saved.seenAt < seenEveryMs) return null
    return { saved: { line, seenAt: now }, tell: () => {} }
  }

  /** By how much the server's clock is ahead of this line, beyond what the way there and back explains; or behind. */
  #aheadOf({ wall, sentAt, answeredAt }: Look): number {
    const moment = wall - offsetOf(this.#line)
    const least = moment - answeredAt
    const most = moment - sentAt
    return this.#lead < least ? least - this.#lead : this.#lead > most ? most - this.#lead : 0
  }
}

function changeTo(saved: SavedTime, instead: string | null): TimeChange {
  return { value: JSON.stringify(saved), instead, skippedMs: 0, seenAt: 0 }
}

async function lookAt({ clock, read }: ServerTimeOptions): Promise<Look> {
  const sentAt = clock.elapsed()
  const { wall, saved } = await read()
  return { wall, text: saved, saved: parseSavedTime(saved), sentAt, answeredAt: clock.elapsed() }
}
