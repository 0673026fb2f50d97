/** The channels of a sender: each with its queue and its way out, all with one set of counters. */
import type { AlertResult, AlertStats, ProbeResult } from './alert.ts'
import type { AlertSettings } from './alert-options.ts'
import { ChannelQueue } from './channel-queue.ts'
import { composeMirror, composeText } from './compose-message.ts'
import type { AlertMessage, AlertTransport, TransportResult } from './transport.ts'
import { createWarningLimit, type WarningLimit } from './warning-limit.ts'

/** A message to deliver, and whether the audit channel gets a line about it. */
export interface Offer {
  readonly kind: 'message' | 'mirror'
  readonly message: AlertMessage
  readonly mirrorToAudit: boolean
}

interface Job extends Offer {
  readonly settle: (result: AlertResult) => void
}

interface Channel {
  readonly transport: AlertTransport
  readonly queue: ChannelQueue<Job>
}

export type Counter = Exclude<keyof AlertStats, 'waiting'>

const mirrorAttempts = 2

export class AlertDelivery {
  readonly #settings: AlertSettings
  readonly #mayWarn: WarningLimit
  readonly #channels = new Map<string, Channel>()
  readonly #stop = new AbortController()
  readonly #counts: Record<Counter, number> = {
    accepted: 0,
    delivered: 0,
    failed: 0,
    dropped: 0,
    throttled: 0,
    summaries: 0,
    mirrored: 0,
    mirrorsLost: 0,
    abandoned: 0,
  }

  constructor(settings: AlertSettings) {
    this.#settings = settings
    this.#mayWarn = createWarningLimit(settings.clock)
  }

  get names(): readonly string[] {
    return [...this.#channels.keys()]
  }

  get stats(): AlertStats {
    const waiting = [...this.#channels.values()].reduce((sum, { queue }) => sum + queue.size, 0)
    return { ...this.#counts, waiting }
  }

  open(name: string, transport: AlertTransport): void {
    const { queueLimit: limit, onFull } = this.#settings
    const queue = new ChannelQueue<Job>({
      limit,
      onFull,
      carry: (job) => this.#carry(job, transport),
      onDropped: (job) => this.#drop(job),
    })
    this.#channels.set(name, { transport, queue })
  }

  has(name: string): boolean {
    return this.#channels.has(name)
  }

  count(counter: Counter): void {
    this.#counts[counter]++
  }

  /** Once a minute for each. `unsaid` is how often it was true since the line before. */
  warn(channel: string, message: string): void {
    const unsaid = this.#mayWarn(`${channel} ${message}`)
    if (unsaid !== null) this.#settings.log.warn({ channel, unsaid }, message)
  }

  /** To the message's channel, which must be open. False when its queue was full; `settle` has been called then. */
  offer(offer: Offer, settle: (result: AlertResult) => void): boolean {
    const isAccepted = this.#channels.get(offer.message.channel)?.queue.offer({ ...offer, settle }) ?? false
    if (isAccepted && offer.kind === 'message') this.count('accepted')
    return isAccepted
  }

  async probe(name: string, text: string | undefined): Promise<ProbeResult> {
    const transport = this.#channels.get(name)?.transport
    if (transport === undefined) {
      return { channel: name, ok: false, status: null, error: 'it is not configured' }
    }
    const { signal } = this.#stop
    try {
      const result =
        text === undefined
          ? ((await transport.probe?.({ signal })) ?? null)
          : await transport.send(composeText(text, name, this.#settings), { maxAttempts: 1, signal })
      if (result === null) return { channel: name, ok: null, status: null, error: null }
      return { channel: name, ok: result.ok, status: result.status, error: result.error }
    } catch {
      return { channel: name, ok: false, status: null, error: `the transport ${transport.kind} threw` }
    }
  }

  /** Mirrors come up while others end: until nothing waits anywhere. */
  async idle(): Promise<true> {
    const channels = [...this.#channels.values()]
    while (channels.some(({ queue }) => queue.size > 0)) {
      for (const { queue } of channels) await queue.idle()
    }
    return true
  }

  /** Gives up what waits, ends what is on its way and closes the transports. */
  async close(): Promise<void> {
    for (const { queue } of this.#channels.values()) {
      for (const job of queue.clear()) {
        this.#count(job, { message: 'abandoned', mirror: 'mirrorsLost' })
        job.settle(undelivered('abandoned', job.message.channel))
      }
    }
    this.#stop.abort()
    await this.idle()
    await Promise.allSettled([...this.#channels.values()].map(({ transport }) => transport.close()))
  }

  /** Never rejects. */
  async #carry(job: Job, transport: AlertTransport): Promise<void> {
    const { maxAttempts } = this.#settings
    const result = await send(transport, job.message, {
      maxAttempts: job.kind === 'mirror' ? Math.min(mirrorAttempts, maxAttempts) : maxAttempts,
      signal: this.#stop.signal,
    })
    const { ok, status, attempts, error, errorCode } = result
    if (ok) this.#count(job, { message: 'delivered', mirror: 'mirrored' })
    else this.#lose(job, { transport: transport.kind, status, attempts, error, error_code: errorCode })
    if (ok && job.mirrorToAudit) this.#mirror(job.message)
    const outcome = ok ? 'delivered' : 'failed'
    job.settle({ ok, outcome, channel: job.message.channel, status, attempts, error, errorCode })
  }

  /** Through the queue of the audit channel: nobody waits for it, and it cannot mirror itself. */
  #mirror(source: AlertMessage): void {
    const { auditChannel } = this.#settings
    if (auditChannel === null || source.channel === auditChannel || source.embed === null) return
    if (!this.#channels.has(auditChannel)) return
    const message = composeMirror(source, auditChannel, this.#settings)
    this.offer({ kind: 'mirror', message, mirrorToAudit: false }, () => {})
  }

  #drop(job: Job): void {
    this.#count(job, { message: 'dropped', mirror: 'mirrorsLost' })
    this.warn(job.message.channel, 'alerts are dropped; the queue of their channel is full')
    job.settle(undelivered('dropped', job.message.channel))
  }

  #lose(job: Job, fields: Readonly<Record<string, unknown>>): void {
    this.#count(job, { message: 'failed', mirror: 'mirrorsLost' })
    const lost = job.kind === 'mirror' ? 'a copy for the audit channel was lost' : 'an alert was lost'
    this.#settings.log.warn({ channel: job.message.channel, ...fields }, lost)
  }

  #count({ kind }: Offer, counters: { readonly message: Counter; readonly mirror: Counter }): void {
    this.count(counters[kind])
  }
}

/** A result without a request. */
export function undelivered(outcome: AlertResult['outcome'], channel: string | null): AlertResult {
  return { ok: false, outcome, channel, status: null, attempts: 0, error: null, errorCode: null }
}

async function send(
  transport: AlertTransport,
  message: AlertMessage,
  options: { readonly maxAttempts: number; readonly signal: AbortSignal },
): Promise<TransportResult> {
  try {
    return await transport.send(message, options)
  } catch {
    const error = `the transport ${transport.kind} threw`
    return { ok: false, status: null, attempts: 0, error, errorCode: 'internal' }
  }
}
