/** What of the store's calls and of the deliveries of this process the stream is told. */
import { hasEnded, type Job } from '../core/jobs.ts'
import type { Endpoint } from '../core/model.ts'
import { receiverBytes } from '../core/receivers.ts'
import type { StreamedDelivery, StreamedEndpoint } from '../core/stream-item.ts'
import type {
  AttemptActivity,
  DeliveryActivity,
  EndpointDisabledActivity,
  EndpointPausedActivity,
  EndpointRecoveredActivity,
} from '../delivery/activity.ts'
import {
  type AcceptedEvent,
  type Cluster,
  type EndpointPatch,
  isDone,
  type KeptWrite,
  type NewEvent,
  type PublishResult,
  type Store,
} from '../store/port.ts'
import type { ActivityStream } from './activity-stream.ts'

/** Of one job, while nothing but its progress changes. */
const jobEveryMs = 500

/** While nobody reads the stream each call is the store's own. */
export function tellStream(store: Store, stream: ActivityStream): Store {
  const tell = new StoreTelling(store, stream)
  const telling = <Name extends keyof Store>(
    name: Name,
    after: (args: readonly unknown[], result: unknown) => void,
  ) => {
    const call = store[name] as (...args: unknown[]) => Promise<unknown>
    return (...args: unknown[]) => {
      if (!stream.isWanted) return call(...args)
      return call(...args).then((result) => {
        after(args, result)
        return result
      })
    }
  }
  const writes = Object.fromEntries(
    toldWrites.map((name) => [name, telling(name, (args, result) => tell.write(name, args, result))]),
  )
  const { cluster } = store
  return {
    ...store,
    ...(writes as Partial<Store>),
    publish: telling('publish', (args, results) => {
      const [batch] = args as Parameters<Store['publish']>
      tell.published(batch, results as Awaited<ReturnType<Store['publish']>>)
    }) as Store['publish'],
    runJobSlice: telling('runJobSlice', (_args, result) => {
      tell.job((result as Awaited<ReturnType<Store['runJobSlice']>>)?.job ?? null)
    }) as Store['runJobSlice'],
    failJob: telling('failJob', ([, jobId]) => tell.jobFailed(String(jobId))) as Store['failJob'],
    writeOnce: telling('writeOnce', (args, result) => {
      const { name, args: given } = args[1] as KeptWrite
      const { kind, result: made } = result as { readonly kind: string; readonly result?: unknown }
      if (kind === 'done') tell.write(name, given, made)
    }) as Store['writeOnce'],
    cluster: cluster === null ? null : tellFanOut(cluster, tell, stream),
  }
}

/** Besides those that have a form of their own. */
const toldWrites = [
  'insertEndpoint',
  'updateEndpoint',
  'deleteEndpoint',
  'insertJob',
  'cancelJob',
  'pauseJob',
  'resumeJob',
  'replay',
  'resend',
  'cancelDelivery',
  'skipDelivery',
] as const satisfies readonly (keyof Store)[]

/** Events of transactions come by the relay. Its plans have no topic, so what it read last is remembered. */
function tellFanOut(cluster: Cluster, tell: StoreTelling, stream: ActivityStream): Cluster {
  const { outbox } = cluster
  let accepted: readonly AcceptedEvent[] = []
  return {
    ...cluster,
    outbox: {
      ...outbox,
      async listAccepted(limit, after) {
        const found = await outbox.listAccepted(limit, after)
        accepted = stream.isWanted ? found : []
        return found
      },
      async fanOut(plans) {
        const read = accepted
        const result = await outbox.fanOut(plans)
        if (result.count === 0 || !stream.isWanted) return result
        const left = new Set([...result.stale, ...result.held])
        for (const plan of plans) {
          const event = read.find(({ id }) => id === plan.id)
          const isWritten = !left.has(plan.id) && !left.has(plan.tenantId)
          if (isWritten && event !== undefined) tell.accepted({ ...event, ...plan })
        }
        return result
      },
    },
  }
}

const jobWrites: ReadonlySet<string> = new Set(['insertJob', 'cancelJob', 'pauseJob', 'resumeJob'])
const deliveryWrites: ReadonlySet<string> = new Set(['replay', 'resend', 'cancelDelivery', 'skipDelivery'])

type Accepted = Pick<NewEvent, 'id' | 'tenantId' | 'topic' | 'orderingKey' | 'deliveries' | 'receivers'> & {
  readonly payloadBytes: number
}

class StoreTelling {
  readonly #store: Store
  readonly #stream: ActivityStream
  /** Jobs that run, as they were told last. */
  readonly #jobs = new Map<string, { readonly job: Job; readonly at: number }>()

  constructor(store: Store, stream: ActivityStream) {
    this.#store = store
    this.#stream = stream
  }

  published(batch: readonly NewEvent[], results: readonly PublishResult[]): void {
    for (const [index, event] of batch.entries()) {
      if (results[index]?.kind === 'published') {
        this.accepted({ ...event, payloadBytes: event.payload.length })
      }
    }
  }

  accepted({ id, tenantId, topic, orderingKey, payloadBytes, deliveries, receivers }: Accepted): void {
    this.#stream.tell({
      kind: 'event',
      at: this.#stream.now(),
      tenantId,
      eventId: id,
      topic,
      orderingKey,
      payloadBytes,
      deliveries: receivers === undefined ? deliveries.length : receivers.byteLength / receiverBytes,
      state: receivers === undefined ? 'fanned_out' : 'accepted',
    })
  }

  job(job: Job | null): void {
    if (job === null) return
    const before = this.#jobs.get(job.id)
    const at = this.#stream.now()
    const isMoment = before !== undefined && before.job.state === job.state && at - before.at < jobEveryMs
    if (isMoment) return
    if (hasEnded(job)) this.#jobs.delete(job.id)
    else this.#jobs.set(job.id, { job, at })
    const { id, tenantId, kind, state, total, done, skipped, failed } = job
    this.#stream.tell({
      kind: 'job',
      at,
      tenantId,
      jobId: id,
      jobKind: kind,
      state,
      total,
      done,
      skipped,
      failed,
    })
  }

  jobFailed(id: string): void {
    const known = this.#jobs.get(id)
    if (known !== undefined) this.job({ ...known.job, state: 'failed' })
  }

  /** Whatever came of a call that people make. One that was refused is no news. */
  write(name: string, args: readonly unknown[], result: unknown): void {
    const { kind } = (result ?? {}) as { readonly kind?: unknown }
    if (!isDone(result) || kind === 'not_skippable') return
    if (name === 'insertEndpoint') {
      const { endpoint } = result as { readonly endpoint: Endpoint }
      this.#endpoint(endpoint.tenantId, endpoint.id, { change: 'created', reason: null })
    } else if (jobWrites.has(name)) this.job(result as Job)
    else {
      const [tenantId, id, patch] = args as [string, string, EndpointPatch]
      if (name === 'updateEndpoint') this.#endpoint(tenantId, id, changeOf(patch))
      if (name === 'deleteEndpoint') this.#endpoint(tenantId, id, { change: 'deleted', reason: null })
      if (deliveryWrites.has(name)) void this.#delivery(tenantId, id)
    }
  }

  #endpoint(tenantId: string, endpointId: string, change: Pick<StreamedEndpoint, 'change' | 'reason'>): void {
    this.#stream.tell({ kind: 'endpoint', at: this.#stream.now(), tenantId, endpointId, ...change })
  }

  /** Read again: what the call gave does not say of which event it is. One that cannot be read is not told. */
  async #delivery(tenantId: string, id: string): Promise<void> {
    const delivery = await this.#store.getDelivery(tenantId, id).catch(() => null)
    if (delivery === null) return
    const { eventId, endpointId, subscriptionId, topic, state, attemptCount, errorClass } = delivery
    const { now } = this.#store.time
    this.#stream.tell({
      kind: 'delivery',
      at: this.#stream.now(),
      tenantId,
      eventId,
      deliveryId: id,
      endpointId,
      subscriptionId,
      topic,
      state,
      attemptCount,
      errorClass,
      nextAttemptAt:
        delivery.nextAttemptAt === null ? null : this.#stream.now() + delivery.nextAttemptAt - now(),
    })
  }
}

function changeOf({ disabledReason }: EndpointPatch): Pick<StreamedEndpoint, 'change' | 'reason'> {
  if (disabledReason === undefined) return { change: 'changed', reason: null }
  if (disabledReason === null) return { change: 'enabled', reason: null }
  return { change: disabledReason === 'paused' ? 'paused' : 'disabled', reason: disabledReason }
}

/** What this process delivers, while the stream is wanted. */
export function tellDeliveries(activity: DeliveryActivity, stream: ActivityStream): void {
  const onAttempt = (told: AttemptActivity): void => {
    const { tenantId, url, attemptNo, status, httpStatus, errorClass, error, latencyMs } = told
    const at = stream.now()
    const attempt = { url, attemptNo, status, httpStatus, errorClass, error, latencyMs }
    stream.tell({ kind: 'attempt', at, tenantId, ...deliveryOf(told), ...attempt })
    // A dead letter is told below, because one that was given up without an attempt has none.
    if (told.state !== 'dead_lettered') stream.tell(changed(told, at))
  }
  const onDeadLetter = (told: AttemptActivity): void => stream.tell(changed(told, stream.now()))
  const onDisabled = ({ tenantId, endpointId, reason }: EndpointDisabledActivity): void =>
    stream.tell({ kind: 'endpoint', at: stream.now(), tenantId, endpointId, change: 'disabled', reason })
  const onPaused = ({ tenantId, endpointId, reason }: EndpointPausedActivity): void => {
    if (endpointId === null) return
    stream.tell({ kind: 'endpoint', at: stream.now(), tenantId, endpointId, change: 'paused', reason })
  }
  const onRecovered = ({ tenantId, endpointId }: EndpointRecoveredActivity): void => {
    if (endpointId === null) return
    stream.tell({
      kind: 'endpoint',
      at: stream.now(),
      tenantId,
      endpointId,
      change: 'recovered',
      reason: null,
    })
  }
  stream.watch((isWanted) => {
    const change = isWanted ? 'on' : 'off'
    activity[change]('attempt', onAttempt)
    activity[change]('deadLetter', onDeadLetter)
    activity[change]('endpointDisabled', onDisabled)
    activity[change]('endpointPaused', onPaused)
    activity[change]('endpointRecovered', onRecovered)
  })
}

function deliveryOf({ eventId, deliveryId, endpointId, subscriptionId, topic }: AttemptActivity) {
  return { eventId, deliveryId, endpointId, subscriptionId, topic }
}

function changed(told: AttemptActivity, at: number): StreamedDelivery {
  const { tenantId, state, attemptNo: attemptCount, errorClass, nextAttemptInMs } = told
  const nextAttemptAt = nextAttemptInMs === null ? null : at + nextAttemptInMs
  return {
    kind: 'delivery',
    at,
    tenantId,
    ...deliveryOf(told),
    state,
    attemptCount,
    errorClass,
    nextAttemptAt,
  }
}
