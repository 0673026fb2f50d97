/** Every listing with every set of filters, and every walk over many rows: what the tests of plans put before the planner. */
import { createHash } from 'node:crypto'
import { type JobFilter, type JobKind, jobKinds } from '../../../src/core/jobs.ts'
import { type DeliveryState, defaultTenantId, deliveryStates } from '../../../src/core/model.ts'
import type {
  AuditFilter,
  DeadLetterFilter,
  DeliveryFilter,
  EventFilter,
  OrderedKeyFilter,
  Page,
  PageRequest,
} from '../../../src/store/port.ts'
import { acting } from '../acting.ts'
import { aLine } from './ordering.ts'
import { removeAll } from './retention.ts'
import { aKey, anOutcome, deadLetter, type Scene } from './scene.ts'
import { aFullTenant, removeTenants } from './tenant-removal.ts'

/** Every set of the members: 2ⁿ of them. */
export function subsets<T extends object>(members: readonly Partial<T>[]): readonly Partial<T>[] {
  const found: Partial<T>[] = [{}]
  for (const member of members) found.push(...found.map((filter) => ({ ...filter, ...member })))
  return found
}

/** What a filter can name. */
export interface Named {
  readonly endpointId: string
  readonly subscriptionId: string
  readonly eventId: string
  readonly topic: string
  readonly since: number
  readonly until: number
}

export function everyDeliveryFilter(named: Named): readonly DeliveryFilter[] {
  const { endpointId, subscriptionId, eventId, topic, since, until } = named
  const others = subsets<DeliveryFilter>([
    { endpointId },
    { subscriptionId },
    { eventId },
    { topic },
    { since, until },
    { errorClass: 'http_500' },
  ])
  const states: readonly (DeliveryState | undefined)[] = [undefined, ...deliveryStates]
  return states.flatMap((state) =>
    others.map((filter) => (state === undefined ? filter : { ...filter, state })),
  )
}

export function everyDeadLetterFilter({
  endpointId,
  topic,
  since,
  until,
}: Named): readonly DeadLetterFilter[] {
  return subsets<DeadLetterFilter>([
    { endpointId },
    { topic },
    { since },
    { until },
    { errorClass: 'http_500' },
  ])
}

export function everyEventFilter({ topic, since, until }: Named): readonly EventFilter[] {
  const times = [{ since }, { until }]
  const topics = [{ topic }, { topicPrefix: 'orders.' }]
  const others = [{ orderingKey: 'a' }, { metadata: { source: 'shop', plan: 'free' } }]
  return [
    ...subsets<EventFilter>([...topics, ...times, ...others]),
    ...deliveryStates.flatMap((deliveryState) =>
      subsets<EventFilter>([...topics, { since, until }]).map((filter) => ({ ...filter, deliveryState })),
    ),
  ]
}

const first: PageRequest = { limit: 1, cursor: null }

/** The first page and the one behind it, whose statement may be another. */
async function twoPages(list: (page: PageRequest) => Promise<Page<unknown>>): Promise<void> {
  const { nextCursor } = await list(first)
  if (nextCursor !== '') await list({ limit: 1, cursor: nextCursor })
}

export async function listEverything({ store }: Scene, named: Named, tenantId = defaultTenantId) {
  for (const filter of everyEventFilter(named)) {
    await twoPages((page) => store.listEvents(tenantId, filter, page))
  }
  for (const filter of everyDeliveryFilter(named)) {
    await twoPages((page) => store.listDeliveries(tenantId, filter, page))
  }
  for (const filter of everyDeadLetterFilter(named)) {
    await twoPages((page) => store.listDeadLetters(tenantId, filter, page))
    await store.countDeadLetterReasons(tenantId, filter)
  }
  await twoPages((page) => store.listDeliveriesOfEvent(tenantId, named.eventId, page))
}

/** Jobs, keys, ordered keys, retention by tenant and the removal of a tenant: each for some slices. */
export async function workOnMany(scene: Scene): Promise<void> {
  const { tenantId } = await aFullTenant(scene)
  await workOnJobs(scene)
  await workOnKeys(scene)
  await readAudit(scene)
  await listLines(scene)
  await scene.advance(100 * 86_400_000)
  await finishAll(scene)
  await removeAll(scene)
  await scene.store.deleteTenant(tenantId)
  await twoPages((page) => scene.store.listTenants(page))
  await removeTenants(scene)
}

/** The removal of a tenant waits for what is leased. */
async function finishAll(scene: Scene): Promise<void> {
  for (;;) {
    const { deliveries } = await scene.claim()
    if (deliveries.length === 0) return
    await scene.record(...deliveries.map((claimed) => anOutcome(claimed)))
  }
}

async function workOnJobs(scene: Scene): Promise<void> {
  const { store, ids } = scene
  const route = await scene.anEndpoint()
  const owner = { owner: 'a process', leaseMs: 15_000 }
  await scene.publishMany(3, { routes: [route] })
  const { deliveries } = await scene.claim()
  await scene.record(...deliveries.map((claimed) => anOutcome(claimed, { next: deadLetter })))
  await scene.publishMany(3, { routes: [] })
  await scene.publishMany(3, { routes: [route], deliverInMs: 1000 })
  const filter: JobFilter = { endpointId: route.endpointId, since: 1, until: scene.now() + 1 }
  const make = (kind: JobKind) =>
    store.insertJob({ id: ids.next('job'), tenantId: defaultTenantId, kind, filter, rate: null })
  for (const kind of jobKinds) {
    const work = { tenantId: defaultTenantId, kind, filter, asOf: null }
    const { cursor } = await store.countJobSlice(work, null)
    if (cursor !== null) await store.countJobSlice(work, cursor)
    await make(kind)
  }
  for (let job = await store.takeJob(owner); job !== null; job = await store.takeJob(owner)) {
    // More than any of them needs; one that cancels would go on for as long as something is in flight.
    for (const refusal of ['refused', null, null, null, null]) {
      const deliveryIds = [ids.next('dlv'), ids.next('dlv')]
      await store.runJobSlice({ ...owner, jobId: job.id, limit: 2, deliveryIds, total: null, refusal })
    }
  }
  for (const filter of subsets<{ state: 'done'; kind: 'replay' }>([{ state: 'done' }, { kind: 'replay' }])) {
    await twoPages((page) => store.listJobs(defaultTenantId, filter, page))
  }
  const { id } = await make('cancel')
  await store.getJob(defaultTenantId, id)
  await store.pauseJob(defaultTenantId, id)
  await store.resumeJob(defaultTenantId, id)
  await store.cancelJob(defaultTenantId, id)
  await store.releaseJobs(owner.owner)
}

async function workOnKeys({ store, ids }: Scene): Promise<void> {
  for (const kind of ['producer', 'admin'] as const) {
    const hashes = [0, 1, 2].map((at) => new Uint8Array(createHash('sha256').update(`${kind}${at}`).digest()))
    const [own, other, rotated] = hashes as [Uint8Array, Uint8Array, Uint8Array]
    const key = aKey(ids, { kind })
    await store.insertApiKey({ key, hash: own }, { maxActive: 10 })
    await store.insertApiKey({ key: aKey(ids, { kind }), hash: other }, { maxActive: 10 })
    await store.insertFirstApiKey({ key: aKey(ids, { kind }), hash: rotated })
    const owner = { kind, tenantId: defaultTenantId }
    for (const tenantId of [defaultTenantId, null]) {
      await twoPages((page) => store.listApiKeys({ kind, tenantId }, page))
    }
    await store.getApiKey(owner, key.id)
    await store.findApiKeys([own, other])
    await store.noteKeyUse([{ id: key.id, at: 1 }])
    await store.insertSignIn({ hash: own, tokenHash: own, lifeMs: 1 })
    await store.findSignIns([own, other])
    await store.takeSignIn(own)
    await store.deleteSignIn(own)
    await store.insertPortalLink({
      id: ids.next('plk'),
      tenantId: defaultTenantId,
      abilities: ['view'],
      label: null,
      hash: own,
      lifeMs: 1000,
    })
    await store.findPortalLinks([own, other])
    await twoPages((page) => store.listPortalLinks(defaultTenantId, page))
    await store.updateApiKey(owner, key.id, { name: 'new' })
    await store.rotateApiKey(owner, key.id, { hash: rotated, graceMs: 1000 })
    await store.revokeApiKey(owner, key.id, { keepLastAdmin: kind === 'admin' })
  }
}

async function readAudit({ store, ids, now }: Scene): Promise<void> {
  acting.actor = { kind: 'admin_token', id: ids.next('adm') }
  const hash = new Uint8Array(createHash('sha256').update('audited').digest())
  const keys = [aKey(ids), aKey(ids)]
  for (const [at, key] of keys.entries())
    await store.insertApiKey({ key, hash: hash.map((each) => each ^ at) })
  for (const key of keys)
    await store.updateApiKey({ kind: 'producer', tenantId: null }, key.id, { name: 'new' })
  const filters = subsets<AuditFilter>([
    { actorId: acting.actor.id as string },
    { actorKind: 'admin_token' },
    { action: 'key.*' },
    { objectKind: 'key' },
    { objectId: keys[0]?.id as string },
    { since: 1, until: now() + 1 },
  ])
  acting.actor = null
  for (const filter of filters) {
    for (const tenantId of [defaultTenantId, null]) {
      await twoPages((page) => store.listAuditLines(tenantId, filter, page))
    }
  }
  await store.removeAuditLines({ retainMs: 86_400_000, limit: 10 })
}

async function listLines(scene: Scene): Promise<void> {
  const { store } = scene
  const route = await scene.anEndpoint({ ordered: true })
  for (const key of ['a', 'b', 'c', 'd']) await aLine(scene, route, 2, key)
  const { deliveries } = await scene.claim({ limit: 2 })
  await scene.record(...deliveries.map((claimed) => anOutcome(claimed, { next: deadLetter })))
  const { subscriptionId } = route
  for (const blocked of [undefined, true, false]) {
    for (const others of subsets<OrderedKeyFilter>([{ subscriptionId }, { orderingKey: 'a' }])) {
      const filter = blocked === undefined ? others : { ...others, blocked }
      await twoPages((page) => store.listOrderedKeys(defaultTenantId, filter, page))
    }
  }
  await store.findHeads(defaultTenantId, [{ subscriptionId, orderingKey: 'a' }])
}
