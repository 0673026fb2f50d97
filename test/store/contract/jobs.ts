import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hasEnded, type Job, type JobFilter, type JobKind } from '../../../src/core/jobs.ts'
import { defaultTenantId } from '../../../src/core/model.ts'
import type { ClaimedDelivery, JobProgress } from '../../../src/store/port.ts'
import { removeAll } from './retention.ts'
import {
  anOutcome,
  deadLetter,
  type OpenHarness,
  openScene,
  type Route,
  retryIn,
  type Scene,
} from './scene.ts'

const leaseMs = 15_000
const owner = 'a process'

export function describeJobs(open: OpenHarness): void {
  let scene: Scene
  let route: Route
  beforeEach(async () => {
    scene = await openScene(open)
    route = await scene.anEndpoint()
  })
  afterEach(() => scene.close())

  async function aJob(kind: JobKind, filter: JobFilter = {}): Promise<Job> {
    const id = scene.ids.next('job')
    return scene.store.insertJob({ id, tenantId: defaultTenantId, kind, filter, rate: null })
  }

  const take = (by = owner) => scene.store.takeJob({ owner: by, leaseMs })

  const slice = (job: Job, limit = 100, by = owner, refusal: string | null = null) =>
    scene.store.runJobSlice({
      jobId: job.id,
      owner: by,
      leaseMs,
      limit,
      deliveryIds: idsOf(limit),
      total: null,
      refusal,
    })

  const idsOf = (count: number) => Array.from({ length: count }, () => scene.ids.next('dlv'))

  /** Takes the job and does it to its end; every slice's progress. */
  async function doJob(job: Job, limit = 100): Promise<readonly JobProgress[]> {
    await take()
    const all: JobProgress[] = []
    for (;;) {
      const progress = await slice(job, limit)
      if (progress === null) throw new Error('the job is somebody else’s')
      all.push(progress)
      if (hasEnded(progress.job)) return all
    }
  }

  async function claimAll(): Promise<readonly ClaimedDelivery[]> {
    const all: ClaimedDelivery[] = []
    for (;;) {
      const { deliveries } = await scene.claim()
      if (deliveries.length === 0) return all
      all.push(...deliveries)
    }
  }

  /** Publishes events and has their deliveries given up; the ids of those. */
  async function deadLetters(
    count: number,
    to = route,
    topic = 'orders.created',
  ): Promise<readonly string[]> {
    await scene.publishMany(count, { routes: [to], topic })
    const claimed = await claimAll()
    await scene.record(...claimed.map((each) => anOutcome(each, { next: deadLetter })))
    return claimed.map(({ id }) => id).sort()
  }

  /** Deliveries that wait for the endpoint, which is disabled. */
  async function waitingIn(count: number): Promise<void> {
    await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: 'operator' })
    await scene.publishMany(count, { routes: [route], parked: 'endpoint_disabled' })
  }

  /** Events that the endpoint is subscribed to and did not get. */
  const missed = (count: number) => scene.publishMany(count, { routes: [] })

  const statesOf = async (ids: readonly string[]) => {
    const deliveries = await Promise.all(ids.map((id) => scene.delivery(id)))
    return deliveries.map(({ state }) => state)
  }

  describe('jobs', () => {
    it('are read back as they were made, newest first, and by state', async () => {
      const filter = { endpointId: route.endpointId, topic: 'a', since: 1, until: 2, errorClass: 'timeout' }
      const first = await aJob('replay', filter)
      expect(first).toEqual({
        id: expect.stringMatching(/^job_/),
        tenantId: defaultTenantId,
        kind: 'replay',
        filter,
        rate: null,
        state: 'queued',
        total: null,
        done: 0,
        skipped: 0,
        failed: 0,
        error: null,
        createdAt: scene.now(),
        startedAt: null,
        endedAt: null,
      })
      await scene.advance(1)
      const second = await aJob('replay')
      expect(await scene.store.getJob(defaultTenantId, first.id)).toEqual(first)
      const list = (state?: 'queued' | 'cancelled', limit = 10, cursor: string | null = null) =>
        scene.store.listJobs(defaultTenantId, state === undefined ? {} : { state }, { limit, cursor })
      expect((await list()).items).toEqual([second, first])
      const page = await list(undefined, 1)
      expect((await list(undefined, 1, page.nextCursor)).items).toEqual([first])
      const cancelled = await scene.store.cancelJob(defaultTenantId, first.id)
      expect(cancelled).toMatchObject({ state: 'cancelled', endedAt: scene.now() })
      expect((await list('cancelled')).items).toEqual([cancelled])
      expect((await list('queued')).items).toEqual([second])
    })

    it('of another tenant are not there', async () => {
      const { id } = await aJob('replay')
      const other = scene.ids.next('ten')
      expect(await scene.store.getJob(other, id)).toBeNull()
      expect(await scene.store.cancelJob(other, id)).toBeNull()
      expect((await scene.store.listJobs(other, {}, { limit: 10, cursor: null })).items).toEqual([])
      expect(await scene.store.getJob(defaultTenantId, id)).toMatchObject({ state: 'queued' })
    })

    it('that are paused are nobody’s, and go on where they stopped when they are resumed', async () => {
      const ids = await deadLetters(3)
      const job = await aJob('replay')
      await take()
      expect(await slice(job, 1)).toMatchObject({ done: 1, job: { state: 'running' } })
      const paused = await scene.store.pauseJob(defaultTenantId, job.id)
      expect(paused).toMatchObject({ state: 'paused', done: 1, endedAt: null })
      expect(await slice(job)).toBeNull()
      expect(await take()).toBeNull()
      await scene.store.releaseJobs(owner)
      await scene.advance(leaseMs * 10)
      expect(await take('another')).toBeNull()
      expect(await scene.store.pauseJob(defaultTenantId, job.id)).toEqual(paused)
      expect((await statesOf(ids)).filter((state) => state === 'pending')).toHaveLength(1)

      expect(await scene.store.resumeJob(defaultTenantId, job.id)).toMatchObject({ state: 'queued', done: 1 })
      expect(await take('another')).toMatchObject({ id: job.id, state: 'running', done: 1 })
      expect(await scene.store.resumeJob(defaultTenantId, job.id)).toMatchObject({ state: 'running' })
      expect(await slice(job, 100, 'another')).toMatchObject({ done: 2, job: { state: 'done', done: 3 } })
      expect(await statesOf(ids)).toEqual(['pending', 'pending', 'pending'])
    })

    it('that are paused can be cancelled, and those that have ended stay as they are', async () => {
      const job = await aJob('replay')
      await scene.store.pauseJob(defaultTenantId, job.id)
      const other = scene.ids.next('ten')
      expect(await scene.store.pauseJob(other, job.id)).toBeNull()
      expect(await scene.store.resumeJob(other, job.id)).toBeNull()
      const cancelled = await scene.store.cancelJob(defaultTenantId, job.id)
      expect(cancelled).toMatchObject({ state: 'cancelled', endedAt: scene.now() })
      expect(await scene.store.pauseJob(defaultTenantId, job.id)).toEqual(cancelled)
      expect(await scene.store.resumeJob(defaultTenantId, job.id)).toEqual(cancelled)
      expect(await take()).toBeNull()
    })

    it('are taken one by one, oldest first, each by one process', async () => {
      const first = await aJob('replay')
      await scene.advance(1)
      const second = await aJob('replay')
      expect(await take()).toMatchObject({ id: first.id, state: 'running', startedAt: scene.now() })
      expect(await take()).toMatchObject({ id: second.id })
      expect(await take()).toBeNull()
    })

    it('that their owner gives back are taken by the next one, where it stopped', async () => {
      await deadLetters(3)
      const job = await aJob('replay')
      await take()
      expect(await slice(job, 2)).toMatchObject({ done: 2 })
      await scene.store.releaseJobs(owner)
      expect(await take('another')).toMatchObject({ id: job.id, done: 2 })
      expect(await slice(job)).toBeNull()
      expect(await slice(job, 100, 'another')).toMatchObject({ done: 1, job: { state: 'done', done: 3 } })
    })

    it('that are cancelled end between two slices', async () => {
      const ids = await deadLetters(3)
      const job = await aJob('replay')
      await take()
      await slice(job, 2)
      await scene.store.cancelJob(defaultTenantId, job.id)
      expect(await slice(job)).toBeNull()
      expect(await take('another')).toBeNull()
      expect(await statesOf(ids)).toEqual(['pending', 'pending', 'dead_lettered'])
      expect(await scene.store.getJob(defaultTenantId, job.id)).toMatchObject({ state: 'cancelled', done: 2 })
    })

    it.each<[JobKind, () => Promise<JobFilter>]>([
      ['replay', async () => ({ endpointId: await deadLetters(3).then(() => route.endpointId) })],
      ['cancel', async () => ({ endpointId: await waitingIn(3).then(() => route.endpointId) })],
      ['skip_backlog', async () => ({ endpointId: await waitingIn(3).then(() => route.endpointId) })],
      ['backfill', async () => ({ endpointId: await missed(3).then(() => route.endpointId), since: 0 })],
    ])(
      'of kind %s leave the delivery that the store refuses, count it and go on behind it',
      async (kind, prepare) => {
        const job = await aJob(kind, await prepare())
        await take()
        expect(await slice(job, 1)).toMatchObject({ done: 1, failed: 0 })
        expect(await slice(job, 100, owner, 'no room')).toMatchObject({
          done: 0,
          failed: 1,
          job: { state: 'running', done: 1, failed: 1, error: 'no room' },
        })
        expect(await slice(job)).toMatchObject({ done: 1, failed: 0 })
        await slice(job)
        expect(await scene.store.getJob(defaultTenantId, job.id)).toMatchObject({
          state: 'done',
          done: 2,
          failed: 1,
          skipped: 0,
          error: 'no room',
        })
      },
    )

    it('leave nothing where there is nothing left to do', async () => {
      const job = await aJob('cancel')
      await take()
      expect(await slice(job, 1, owner, 'no')).toMatchObject({ done: 0, failed: 0, job: { failed: 0 } })
    })

    it('count what they left anew when they walk again, after what was in flight', async () => {
      const { deliveryId } = await scene.publish({ routes: [route], handOff: true })
      await waitingIn(2)
      const job = await aJob('cancel')
      await take()
      const steps = [await slice(job, 1, owner, 'no room'), await slice(job), await slice(job)]
      expect(steps.map((each) => each?.failed)).toContain(1)
      await scene.record(anOutcome({ id: deliveryId, claimVersion: 1, attemptCount: 0 }))
      let last = steps.at(-1)
      for (let n = 0; n < 5 && last?.job.state === 'running'; n++) last = await slice(job)
      expect(last?.job).toMatchObject({ state: 'done', done: 2, failed: 0 })
    })

    it('that have ended stay as they are', async () => {
      const job = await aJob('replay')
      await doJob(job)
      const done = await scene.store.getJob(defaultTenantId, job.id)
      expect(done).toMatchObject({ state: 'done', endedAt: scene.now() })
      await scene.advance(5)
      expect(await scene.store.cancelJob(defaultTenantId, job.id)).toEqual(done)
    })

    it('fail with the reason of their owner, and of nobody else', async () => {
      const job = await aJob('replay')
      await take()
      await scene.store.failJob('another', job.id, 'no')
      expect(await scene.store.getJob(defaultTenantId, job.id)).toMatchObject({ state: 'running' })
      await scene.store.failJob(owner, job.id, 'no')
      expect(await scene.store.getJob(defaultTenantId, job.id)).toMatchObject({
        state: 'failed',
        error: 'no',
      })
    })
  })

  describe('a replay of many', () => {
    it('makes each dead letter pending once, in slices, whose end the job notes', async () => {
      const ids = await deadLetters(5)
      const job = await aJob('replay')
      const all = await doJob(job, 2)
      expect(all.map(({ done }) => done).reduce((sum, done) => sum + done)).toBe(5)
      expect(all.every(({ done }) => done <= 2)).toBe(true)
      expect(await statesOf(ids)).toEqual(Array(5).fill('pending'))
      const claimed = await claimAll()
      expect(claimed.map(({ id }) => id).sort()).toEqual(ids)
      expect(claimed[0]).toMatchObject({ attemptCount: 0, claimVersion: 3 })
      expect((await scene.store.counts()).deliveries).toMatchObject({ dead_lettered: 0, in_flight: 5 })
    })

    it('leaves alone what dies again meanwhile, and what died after it was made', async () => {
      const [first = ''] = await deadLetters(1)
      const job = await aJob('replay')
      await scene.advance(1)
      await take()
      await scene.store.replay(defaultTenantId, first)
      await scene.record(anOutcome(await scene.claimOne(), { next: deadLetter }))
      const later = await deadLetters(1)
      expect(await slice(job)).toMatchObject({ done: 0, job: { state: 'done', skipped: 0 } })
      expect(await statesOf([first, ...later])).toEqual(['dead_lettered', 'dead_lettered'])
    })

    it.each<[string, (own: Route) => JobFilter, readonly string[]]>([
      ['an endpoint', (own) => ({ endpointId: own.endpointId }), ['own']],
      ['a topic', () => ({ topic: 'b' }), ['topic']],
      ['an error class', () => ({ errorClass: 'http_500' }), ['own', 'other', 'topic']],
      ['another error class', () => ({ errorClass: 'timeout' }), []],
      ['a time from which on', () => ({ since: scene.now() }), ['topic']],
      ['a time before which', () => ({ until: scene.now() }), ['own', 'other']],
    ])('is about %s', async (_name, filterOf, expected) => {
      const other = await scene.anEndpoint()
      const letters: Record<string, readonly string[]> = {
        own: await deadLetters(1),
        other: await deadLetters(1, other),
      }
      await scene.advance(1000)
      letters.topic = await deadLetters(1, other, 'b')
      const filter = filterOf(route)
      const work = { tenantId: defaultTenantId, kind: 'replay' as const, filter, asOf: null }
      expect(await scene.store.countJobSlice(work, null)).toEqual({
        matching: expected.length,
        skipped: 0,
        cursor: null,
      })
      await doJob(await aJob('replay', filter))
      const replayed: string[] = []
      for (const [name, ids] of Object.entries(letters)) {
        if ((await statesOf(ids))[0] === 'pending') replayed.push(name)
      }
      expect(replayed).toEqual(expected)
    })

    it('skips what has nowhere to go, and counts it', async () => {
      const gone = await scene.anEndpoint()
      await deadLetters(2, gone)
      const ids = await deadLetters(1)
      await scene.store.deleteEndpoint(defaultTenantId, gone.endpointId)
      const work = { tenantId: defaultTenantId, kind: 'replay' as const, filter: {}, asOf: null }
      expect(await scene.store.countJobSlice(work, null)).toEqual({ matching: 1, skipped: 2, cursor: null })
      const job = await aJob('replay')
      const last = (await doJob(job)).at(-1)
      expect(last?.job).toMatchObject({ done: 1, skipped: 2 })
      expect(await statesOf(ids)).toEqual(['pending'])
    })

    it('parks what goes to a disabled endpoint', async () => {
      const ids = await deadLetters(1)
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: 'operator' })
      const [progress] = await doJob(await aJob('replay'))
      expect(progress).toMatchObject({ done: 1, isDue: false })
      expect(await scene.delivery(ids[0] ?? '')).toMatchObject({
        state: 'pending',
        reason: 'endpoint_disabled',
      })
      expect(await claimAll()).toEqual([])
    })

    it('keeps to its tenant', async () => {
      const tenantId = scene.ids.next('ten')
      const theirs = await scene.anEndpoint({ tenantId })
      await scene.publish({ routes: [theirs] })
      await scene.record(anOutcome(await scene.claimOne(), { next: deadLetter }))
      const [progress] = await doJob(await aJob('replay'))
      expect(progress).toMatchObject({ done: 0, job: { state: 'done' } })
    })
  })

  describe('a cancel of many', () => {
    it('ends what waits, parked or due, first or another attempt, and says why', async () => {
      const other = await scene.anEndpoint()
      await scene.publishMany(2, { routes: [other] })
      const claimed = await claimAll()
      await scene.record(...claimed.map((each) => anOutcome(each, { next: retryIn(60_000) })))
      await scene.publishMany(3, { routes: [route] })
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: 'operator' })
      const all = await doJob(await aJob('cancel'), 2)
      expect(all.at(-1)?.job).toMatchObject({ state: 'done', done: 5, skipped: 0 })
      expect(await scene.delivery(claimed[0]?.id ?? '')).toMatchObject({
        state: 'cancelled',
        attemptCount: 1,
        errorClass: 'http_500',
        lastError: 'cancelled on request',
      })
      expect((await scene.store.counts()).deliveries).toMatchObject({
        pending: 0,
        retry_scheduled: 0,
        cancelled: 5,
      })
      await scene.advance(60_000)
      expect(await claimAll()).toEqual([])
    })

    it('is about an endpoint, a topic and times, and leaves what was made after it', async () => {
      const other = await scene.anEndpoint()
      const publish = async (to: Route, topic: string) =>
        (await scene.publish({ routes: [to], topic })).deliveryId
      await publish(other, 'a')
      await scene.advance(1000)
      const since = scene.now()
      const kept = [await publish(other, 'b'), await publish(route, 'a')]
      const ended = await publish(other, 'a')
      const until = scene.now() + 1
      const filter = { endpointId: other.endpointId, topic: 'a', since, until }
      const work = { tenantId: defaultTenantId, kind: 'cancel' as const, filter, asOf: null }
      // In memory nothing is counted that waits there for a claim.
      expect((await scene.store.countJobSlice(work, null)).matching).toBeLessThanOrEqual(1)
      const job = await aJob('cancel', filter)
      await scene.advance(1)
      kept.push(await publish(other, 'a'))
      await doJob(job)
      expect(await statesOf([ended])).toEqual(['cancelled'])
      expect(await statesOf(kept)).toEqual(Array(3).fill('pending'))
    })

    it('leaves an attempt under way to its outcome, and ends what waits again after it', async () => {
      const { deliveryId } = await scene.publish({ routes: [route], handOff: true })
      await scene.publish({ routes: [route] })
      const [claimed] = await claimAll()
      if (claimed === undefined) throw new Error('nothing was claimed')
      const job = await aJob('cancel')
      await take()
      const step = await slice(job)
      expect(step).toMatchObject({ done: 0, job: { state: 'running' } })
      expect(step?.waitMs).toBeGreaterThan(0)
      await scene.record(anOutcome(claimed, { next: retryIn(1000) }))
      expect(await slice(job)).toMatchObject({ done: 1, job: { state: 'running' } })
      await scene.record(anOutcome({ id: deliveryId, claimVersion: 1, attemptCount: 0 }))
      const steps = [await slice(job), await slice(job)]
      expect(steps.find((each) => each?.job.state === 'done')?.job).toMatchObject({ done: 1 })
      expect(await statesOf([claimed.id, deliveryId])).toEqual(['cancelled', 'succeeded'])
    })

    it('skips the backlog of an endpoint and then enables it: what comes afterwards is sent', async () => {
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: 'operator' })
      await scene.publishMany(3, { routes: [route], parked: 'endpoint_disabled' })
      const job = await aJob('skip_backlog', { endpointId: route.endpointId })
      await scene.advance(1)
      const later = await scene.publish({ routes: [route], parked: 'endpoint_disabled' })
      const all = await doJob(job, 2)
      expect(all.at(-1)).toMatchObject({ isDue: true, job: { state: 'done', done: 3 } })
      const endpoint = await scene.store.getEndpoint(defaultTenantId, route.endpointId)
      expect(endpoint).toMatchObject({ disabledReason: null })
      expect((await claimAll()).map(({ id }) => id)).toEqual([later.deliveryId])
      const { items } = await scene.store.listDeliveries(
        defaultTenantId,
        { state: 'cancelled' },
        { limit: 10, cursor: null },
      )
      expect(items.map(({ lastError }) => lastError)).toEqual(
        Array(3).fill('skipped when its endpoint was enabled'),
      )
    })
  })

  describe('a delivery', () => {
    const cancel = (id: string) => scene.store.cancelDelivery(defaultTenantId, id, 'enough')

    it('that waits is cancelled by hand, in memory or with a row, and never claimed again', async () => {
      const { deliveryId } = await scene.publish({ routes: [route] })
      expect(await cancel(deliveryId)).toEqual({ kind: 'cancelled' })
      expect(await scene.delivery(deliveryId)).toMatchObject({ state: 'cancelled', lastError: 'enough' })
      await scene.publish({ routes: [route] })
      const claimed = await scene.claimOne()
      await scene.record(anOutcome(claimed, { next: retryIn(1000) }))
      expect(await cancel(claimed.id)).toEqual({ kind: 'cancelled' })
      await scene.advance(1000)
      expect(await claimAll()).toEqual([])
      expect(await cancel(claimed.id)).toEqual({ kind: 'finished', state: 'cancelled' })
      expect((await scene.store.counts()).deliveries).toMatchObject({
        cancelled: 2,
        pending: 0,
        in_flight: 0,
      })
    })

    it('in flight is not cancelled, claimed or handed off; its outcome counts', async () => {
      const handedOff = await scene.publish({ routes: [route], handOff: true })
      expect(await cancel(handedOff.deliveryId)).toEqual({ kind: 'in_flight' })
      await scene.record(anOutcome({ id: handedOff.deliveryId, claimVersion: 1, attemptCount: 0 }))
      expect(await cancel(handedOff.deliveryId)).toEqual({ kind: 'finished', state: 'succeeded' })
      await scene.publish({ routes: [route] })
      const claimed = await scene.claimOne()
      expect(await cancel(claimed.id)).toEqual({ kind: 'in_flight' })
      expect((await scene.record(anOutcome(claimed))).recorded).toEqual([true])
    })

    it('of nobody, or of another tenant, is not found', async () => {
      const { deliveryId } = await scene.publish({ routes: [route] })
      const other = scene.ids.next('ten')
      for (const [tenant, id] of [
        [other, deliveryId],
        [defaultTenantId, scene.ids.next('dlv')],
      ] as const) {
        expect(await scene.store.cancelDelivery(tenant, id, 'no')).toEqual({ kind: 'not_found' })
        expect(await scene.store.resend(tenant, id)).toEqual({ kind: 'not_found' })
      }
    })

    it('that succeeded is resent: attempts from 1, its history with what was captured stays', async () => {
      const { deliveryId } = await scene.publish({ routes: [route], handOff: true })
      await scene.record(
        anOutcome(
          { id: deliveryId, claimVersion: 1, attemptCount: 0 },
          { body: Buffer.from('first'), startedAt: 5 },
        ),
      )
      expect(await scene.store.resend(defaultTenantId, deliveryId)).toMatchObject({ kind: 'replayed' })
      expect(await scene.delivery(deliveryId)).toMatchObject({ state: 'pending', attemptCount: 0 })
      const claimed = await scene.claimOne()
      expect(claimed).toMatchObject({ id: deliveryId, attemptCount: 0, claimVersion: 3 })
      await scene.record(anOutcome(claimed, { body: Buffer.from('second') }))
      const attempts = await scene.store.listAttempts([deliveryId], { withCapture: true })
      expect(attempts).toMatchObject([
        { attemptNo: 1, claimVersion: 1, status: 'success', httpStatus: 204, startedAt: 5 },
        { attemptNo: 1, claimVersion: 3, status: 'success' },
      ])
      expect(attempts.map(({ response }) => Buffer.from(response?.body ?? []).toString())).toEqual([
        'first',
        'second',
      ])
    })

    it('that was cancelled is resent too, and one that has not ended is not', async () => {
      const { deliveryId } = await scene.publish({ routes: [route] })
      expect(await scene.store.resend(defaultTenantId, deliveryId)).toEqual({
        kind: 'not_replayable',
        state: 'pending',
        endpointDeleted: false,
      })
      await cancel(deliveryId)
      expect(await scene.store.replay(defaultTenantId, deliveryId)).toMatchObject({
        kind: 'not_replayable',
        state: 'cancelled',
      })
      expect(await scene.store.resend(defaultTenantId, deliveryId)).toMatchObject({ kind: 'replayed' })
      expect((await claimAll()).map(({ id }) => id)).toEqual([deliveryId])
    })
  })

  describe('a back-fill', () => {
    /** An endpoint that is new, and subscribed to everything. */
    async function aNewcomer() {
      await scene.advance(1)
      return scene.anEndpoint()
    }

    const topicsOf = (deliveries: readonly ClaimedDelivery[], to: Route) =>
      deliveries.filter(({ endpointId }) => endpointId === to.endpointId).map(({ eventId }) => eventId)

    it('sends an endpoint the past events that it did not get, each once, and shows them with the event', async () => {
      const events = await scene.publishMany(5, { routes: [route] })
      const newcomer = await aNewcomer()
      const both = await scene.publish({ routes: [route, newcomer] })
      await claimAll()
      await scene.advance(1)
      const job = await aJob('backfill', { endpointId: newcomer.endpointId })
      const all = await doJob(job, 2)
      expect(all.at(-1)?.job).toMatchObject({ state: 'done', done: 5, skipped: 0 })
      expect(all.some(({ isDue }) => isDue)).toBe(true)
      const claimed = await claimAll()
      expect(topicsOf(claimed, newcomer)).toEqual(events.map(({ id }) => id))
      expect(claimed[0]).toMatchObject({ subscriptionId: newcomer.subscriptionId, attemptCount: 0 })
      const shown = await scene.deliveriesOf(events[0]?.id ?? '')
      expect(shown.map(({ endpointId }) => endpointId)).toEqual([route.endpointId, newcomer.endpointId])
      const again = await doJob(await aJob('backfill', { endpointId: newcomer.endpointId }))
      expect(again.at(-1)?.job).toMatchObject({ state: 'done', done: 0, skipped: 0 })
      expect(await scene.deliveriesOf(both.event.id)).toHaveLength(2)
      expect((await scene.store.counts()).deliveries).toMatchObject({ in_flight: 12, pending: 0 })
    })

    it('is about a topic, times, and what the endpoint is subscribed to', async () => {
      const publish = async (topic: string) => (await scene.publish({ routes: [route], topic })).event.id
      await publish('a')
      await scene.advance(1000)
      const since = scene.now()
      const wanted = await publish('a')
      await publish('b')
      await scene.advance(1000)
      const until = scene.now()
      await publish('a')
      const newcomer = await aNewcomer()
      await claimAll()
      const filter = { endpointId: newcomer.endpointId, topic: 'a', since, until }
      const work = { tenantId: defaultTenantId, kind: 'backfill' as const, filter, asOf: null }
      expect(await scene.store.countJobSlice(work, null)).toEqual({ matching: 1, skipped: 0, cursor: null })
      await doJob(await aJob('backfill', filter))
      expect(topicsOf(await claimAll(), newcomer)).toEqual([wanted])
      const { endpointId, subscriptionId } = newcomer
      await scene.store.updateSubscription(defaultTenantId, subscriptionId, { topicPatterns: ['c.*'] })
      const last = (await doJob(await aJob('backfill', { endpointId }))).at(-1)
      expect(last?.job).toMatchObject({ state: 'done', done: 0 })
    })

    it('leaves out what no filter of the endpoint lets through, and counts as skipped what nobody can tell', async () => {
      const payloadOf = (n: number) => new TextEncoder().encode(JSON.stringify({ n }))
      await scene.publish({ payload: payloadOf(9) })
      await scene.advance(40 * 86_400_000)
      const small = await scene.publish({ payload: payloadOf(1) })
      const large = await scene.publish({ payload: payloadOf(9) })
      await removeAll(scene)
      const newcomer = await aNewcomer()
      const { endpointId, subscriptionId } = newcomer
      const filter = { n: { $gte: 5 } }
      await scene.store.updateSubscription(defaultTenantId, subscriptionId, { filter })
      expect((await scene.store.getSubscription(defaultTenantId, subscriptionId))?.filter).toEqual(filter)
      const work = {
        tenantId: defaultTenantId,
        kind: 'backfill' as const,
        filter: { endpointId },
        asOf: null,
      }
      expect(await scene.store.countJobSlice(work, null)).toMatchObject({ matching: 1, skipped: 1 })
      const last = (await doJob(await aJob('backfill', { endpointId }))).at(-1)
      expect(last?.job).toMatchObject({ state: 'done', done: 1, skipped: 1 })
      expect(topicsOf(await claimAll(), newcomer)).toEqual([large.event.id])
      expect(await scene.deliveriesOf(small.event.id)).toEqual([])
    })

    it('of two at a time gives each event to one of them', async () => {
      await scene.publishMany(6, { routes: [route] })
      const newcomer = await aNewcomer()
      await claimAll()
      const jobs = [
        await aJob('backfill', { endpointId: newcomer.endpointId }),
        await aJob('backfill', { endpointId: newcomer.endpointId }),
      ] as const
      await take()
      await take()
      await slice(jobs[0], 2)
      const both = await Promise.all(jobs.map((job) => slice(job, 4)))
      const rest = await Promise.all(jobs.map((job) => slice(job)))
      expect([...both, ...rest].reduce((sum, each) => sum + (each?.done ?? 0), 2)).toBe(6)
      expect(new Set(topicsOf(await claimAll(), newcomer)).size).toBe(6)
    })

    it('reaches events for many, and leaves out who got them or is about to', async () => {
      const others = await Promise.all(Array.from({ length: 3 }, () => scene.anEndpoint()))
      const newcomer = await aNewcomer()
      const made = await scene.publish({ receivers: others })
      await scene.fanOutSlice()
      const half = await scene.publish({ receivers: others })
      await scene.fanOutSlice(1)
      await claimAll()
      for (const [to, done] of [
        [others[0], 0],
        [others[2], 0],
        [newcomer, 2],
        [newcomer, 0],
      ] as const) {
        const filter = { endpointId: to?.endpointId ?? '' }
        expect((await doJob(await aJob('backfill', filter))).at(-1)?.job).toMatchObject({ done })
      }
      await scene.fanOutSlice()
      for (const { event } of [made, half]) expect(await scene.deliveriesOf(event.id)).toHaveLength(4)
    })

    it('skips events whose payload is gone, and counts them', async () => {
      await scene.publish({})
      await scene.advance(40 * 86_400_000)
      await scene.publish({})
      await removeAll(scene)
      const newcomer = await aNewcomer()
      const filter = { endpointId: newcomer.endpointId }
      expect((await doJob(await aJob('backfill', filter))).at(-1)?.job).toMatchObject({ done: 1, skipped: 1 })
    })

    it('of a disabled endpoint waits there, and that of one that is deleted fails', async () => {
      await scene.publish({})
      const newcomer = await aNewcomer()
      const { endpointId } = newcomer
      await scene.store.updateEndpoint(defaultTenantId, endpointId, { disabledReason: 'operator' })
      const [step] = await doJob(await aJob('backfill', { endpointId }))
      expect(step).toMatchObject({ done: 1, isDue: false })
      expect(await claimAll()).toEqual([])
      const job = await aJob('backfill', { endpointId })
      await scene.store.deleteEndpoint(defaultTenantId, endpointId)
      expect((await doJob(job)).at(-1)?.job).toMatchObject({
        state: 'failed',
        error: 'its endpoint was deleted',
      })
    })
  })
}
