/** What processes on one database tell each other, and that nothing depends on it. */
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSystemClock } from '../../src/core/clock.ts'
import { type Logger, silentLogger } from '../../src/core/logger.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import type { PublishResult, Store } from '../../src/store/port.ts'
import {
  hintChannel,
  PendingHints,
  readHintMessage,
} from '../../src/store/postgres/connection/hint-message.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import {
  type AppSetup,
  anApp,
  anEndpointAt,
  aReceiver,
  aRefusedUrl,
  publish,
  tenant,
} from '../delivery/an-app.ts'
import { patienceMs } from '../patience.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { startTcpProxy } from '../servers/tcp-proxy.ts'
import {
  anOutcome,
  aTransportFailure,
  breaker,
  deadLetter,
  leaseMs,
  openScene,
  type Scene,
} from './contract/scene.ts'
import { openPostgresHarness } from './postgres-harness.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let server: PostgresServer
beforeAll(async () => {
  server = await newest.start()
})
afterAll(() => server?.stop())

const all = 'all'
type Heard =
  | 'work'
  | `routing of ${string}`
  | `pause of ${string} until ${number | null}`
  | `pace of ${string}: ${number}`

/** What a node hears, from the moment that it is listening. */
async function listenOn(node: Store) {
  const heard: Heard[] = []
  const waiters = new Set<() => void>()
  const hear = (what: Heard): void => {
    heard.push(what)
    for (const waiter of waiters) waiter()
  }
  const stop = node.cluster?.listen({
    onWork: () => hear('work'),
    onRoutingChanged: (tenantId) => hear(`routing of ${tenantId ?? all}`),
    onPauseChanged: (targetId, until) => hear(`pause of ${targetId} until ${until}`),
    onPaceKept: ({ targetId, perSecond }) => hear(`pace of ${targetId}: ${perSecond}`),
  })
  const until = (isIt: (heard: readonly Heard[]) => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!isIt(heard)) return
        waiters.delete(check)
        resolve()
      }
      waiters.add(check)
      check()
    })
  // Who has begun to listen may have missed everything. What was told just before may be heard as well.
  await until((given) => given.includes('work'))
  expect(heard.splice(0)).toEqual(expect.arrayContaining([`routing of ${all}`, 'work']))
  return { heard, stop, hears: (what: Heard) => until((given) => given.includes(what)) }
}

const lastTenant = 'ten_00000000000000000000000001'

/** A change that nothing else makes: whatever was told before it was heard before it. */
async function saysLastWord(scene: Scene, there: Awaited<ReturnType<typeof listenOn>>): Promise<void> {
  await scene.anEndpoint({ tenantId: lastTenant })
  await there.hears(`routing of ${lastTenant}`)
}

async function twoNodes() {
  const harness = await openPostgresHarness(server)
  onTestFinished(() => harness.close())
  const scene = await openScene(async () => harness)
  return { harness, scene, other: await harness.openNode() }
}

/** Every notification of the processes on a schema. */
async function watchNotifications(schema: string) {
  const client = new pg.Client({ connectionString: server.url })
  onTestFinished(() => client.end())
  await client.connect()
  const seen: pg.Notification[] = []
  client.on('notification', (notification) => seen.push(notification))
  await client.query(`listen ${hintChannel(schema)}`)
  return { seen, sees: (count: number) => expect.poll(() => seen.length).toBeGreaterThanOrEqual(count) }
}

describe('a process hears from the others', () => {
  it('of work that waits for whoever claims it, and not of its own', async () => {
    const { scene, other } = await twoNodes()
    const route = await scene.anEndpoint()
    const [here, there] = [await listenOn(scene.store), await listenOn(other)]
    await scene.publish({ routes: [route] })
    await there.hears('work')
    await other.updateEndpoint(lastTenant, route.endpointId, {})
    await here.hears(`routing of ${lastTenant}`)
    expect(here.heard).not.toContain('work')
  })

  it('of no work that its publisher starts itself, that is parked, or that was not written', async () => {
    const { scene, other } = await twoNodes()
    const route = await scene.anEndpoint()
    const off = await scene.anEndpoint()
    await scene.store.updateEndpoint(defaultTenantId, off.endpointId, { disabledReason: 'operator' })
    const there = await listenOn(other)
    await scene.publish({ routes: [route], handOff: true })
    await scene.publish({ routes: [off], parked: 'endpoint_disabled' })
    await scene.publish({ routes: [route], routingVersion: 1 })
    await saysLastWord(scene, there)
    expect(there.heard).not.toContain('work')
  })

  it('of leases given back, of replays and of work that was found without a hint', async () => {
    const { harness, scene, other } = await twoNodes()
    await scene.publish({ routes: [await scene.anEndpoint()] })
    const there = await listenOn(other)
    const hearsOf = async (act: () => Promise<unknown>): Promise<void> => {
      await saysLastWord(scene, there)
      there.heard.splice(0)
      await act()
      await there.hears('work')
    }
    const { id, claimVersion } = await scene.claimOne()
    await hearsOf(() => scene.store.release([{ deliveryId: id, claimVersion, delayMs: 0 }]))
    await scene.record(anOutcome(await scene.claimOne(), { next: deadLetter, httpStatus: 500 }))
    await hearsOf(() => scene.store.replay(defaultTenantId, id))
    await harness.sql('delete from ready_endpoints')
    await hearsOf(() => scene.store.reconcileReady({ limit: 10 }))
  })

  it('of what was published in a transaction and has been fanned out', async () => {
    const { scene, other } = await twoNodes()
    const event = await scene.anEvent({ routes: [await scene.anEndpoint()] })
    const there = await listenOn(other)
    const outbox = scene.store.cluster?.outbox
    const client = new pg.Client({ connectionString: server.url })
    onTestFinished(() => client.end())
    await client.connect()
    await client.query('begin')
    await outbox?.accept(client, [{ ...event, idempotency: null }])
    await client.query('commit')
    await outbox?.fanOut([event])
    await there.hears('work')
  })

  it('of every kind of change to a tenant', async () => {
    const { scene, other } = await twoNodes()
    const there = await listenOn(other)
    const { store, ids } = scene
    const { endpointId, subscriptionId, tenantId } = await scene.anEndpoint()
    const subscription = {
      tenantId,
      endpointId,
      topicPatterns: ['*'],
      filter: null,
      headers: {},
      retryPolicy: null,
    }
    const changes = [
      () => store.updateEndpoint(tenantId, endpointId, { disabledReason: 'operator' }),
      () => store.rotateSecret(tenantId, endpointId, { id: ids.next('sec'), sealed: Uint8Array.of(1) }, 1),
      () =>
        store.insertSubscription({
          ...subscription,
          id: ids.next('sub'),
          ordered: false,
          active: true,
          own: false,
        }),
      () => store.updateSubscription(tenantId, subscriptionId, { active: false }),
      () => store.deleteSubscription(tenantId, subscriptionId),
      () => store.deleteEndpoint(tenantId, endpointId),
    ]
    const told = `routing of ${tenantId}` as const
    await there.hears(told)
    for (const change of changes) {
      there.heard.splice(0)
      await change()
      await there.hears(told)
    }
  })

  it('of pauses and of their end, and of endpoints that were disabled for what they answered', async () => {
    const { scene, other } = await twoNodes()
    const route = await scene.anEndpoint()
    const { endpointId } = route
    const there = await listenOn(other)
    await scene.publishMany(5, { routes: [route] })
    const { deliveries } = await scene.claim()
    await scene.record(
      ...deliveries.map((claimed) => aTransportFailure(claimed, scene.now(), breaker.pauseMs)),
    )
    await there.hears(`pause of ${endpointId} until ${scene.now() + breaker.pauseMs}`)
    await scene.advance(breaker.pauseMs)
    await scene.record(anOutcome(await scene.claimOne()))
    await there.hears(`pause of ${endpointId} until null`)
    scene.store.cluster?.tellPaces(new Map([[endpointId, 4.5]]))
    await there.hears(`pace of ${endpointId}: 4.5`)
    there.heard.splice(0)
    const [another] = (await scene.claim({ limit: 1 })).deliveries
    if (another === undefined) throw new Error('nothing to claim')
    await scene.record(anOutcome(another, { disableEndpoint: 'gone' }))
    await there.hears(`routing of ${defaultTenantId}`)
  })

  it('nothing more once it stops listening', async () => {
    const { harness, scene, other } = await twoNodes()
    const [first, second] = [await listenOn(other), await listenOn(await harness.openNode())]
    first.stop?.()
    first.heard.splice(0)
    await saysLastWord(scene, second)
    expect(first.heard).toEqual([])
  })
})

describe('notifications', () => {
  it('of a burst are gathered: one in 50 ms, on a connection that does nothing else', async () => {
    const { harness, scene } = await twoNodes()
    const route = await scene.anEndpoint()
    await listenOn(scene.store)
    const { seen, sees } = await watchNotifications(harness.schema)
    const startedAt = performance.now()
    const event = await scene.anEvent({ routes: [route] })
    for (let count = 0; count < 100; count++) {
      const { id: _, ...rest } = event
      const deliveries = event.deliveries.map((each) => ({ ...each, id: scene.ids.next('dlv') }))
      await scene.store.publish([{ ...rest, id: scene.ids.next('evt'), deliveries }], { leaseMs })
    }
    await sees(1)
    expect(seen.length).toBeLessThanOrEqual(Math.floor((performance.now() - startedAt) / 50) + 1)
    const senders = await harness.sql<{ application_name: string }>(
      'select distinct application_name from pg_stat_activity where pid = any ($1)',
      [seen.map(({ processId }) => processId)],
    )
    expect(senders).toEqual([{ application_name: 'outhook hints' }])
  })

  it('are told when a process stops, so that the others take over what it gave back', async () => {
    const { scene, harness, other } = await twoNodes()
    const leaving = await harness.openNode()
    await listenOn(leaving)
    await scene.publishMany(2, { routes: [await scene.anEndpoint()] })
    const { deliveries } = await leaving.claim({ limit: 2, maxBytes: 1e6, leaseMs, slots: new Map() })
    const there = await listenOn(other)
    for (const { id, claimVersion } of deliveries) {
      // The second one comes too soon after the first to be sent at once.
      await leaving.release([{ deliveryId: id, claimVersion, delayMs: 0 }])
    }
    there.heard.splice(0)
    await leaving.close()
    await there.hears('work')
  })

  it('of somebody else are ignored', async () => {
    const { harness, scene, other } = await twoNodes()
    const there = await listenOn(other)
    for (const payload of [
      '',
      'hello',
      'null',
      '[1]',
      '{"tenants":7,"pauses":[1,[2,3],["ep"]],"paces":[7,["ep",null],["ep",0]]}',
    ]) {
      await harness.sql('select pg_notify($1, $2)', [hintChannel(harness.schema), payload])
    }
    await saysLastWord(scene, there)
    expect(there.heard).toEqual([`routing of ${lastTenant}`])
  })

  it('stay small, however much there is to tell', () => {
    const pending = new PendingHints()
    const id = (n: number) => `ten_${String(n).padStart(26, '0')}`
    for (let n = 0; n < 100; n++) pending.addTenant(id(n))
    for (let n = 0; n < 1000; n++) pending.addPause(id(n), Number.MAX_SAFE_INTEGER)
    for (let n = 0; n < 1000; n++) pending.addPace(id(n), 1e9 / 7)
    const payload = pending.take()
    expect(Buffer.byteLength(payload)).toBeLessThan(8000)
    expect(readHintMessage(payload)?.tenants).toHaveLength(100)
    expect(pending.isEmpty).toBe(true)
    for (let n = 0; n < 101; n++) pending.addTenant(id(n))
    expect(readHintMessage(pending.take())).toEqual({
      work: false,
      tenants: 'all',
      pauses: [],
      paces: [],
      asks: [],
    })
  })
})

describe('a listener that lost its connection', () => {
  it('says so once, however often it fails, and hears again when it can', async () => {
    const { harness, scene } = await twoNodes()
    const proxy = await startTcpProxy(server.url)
    const said: string[] = []
    const note = (_: unknown, message: string): void => void said.push(message)
    const logger: Logger = { ...silentLogger, warn: note, info: note, error: note }
    const node = await openPostgresStore({
      url: proxy.through(server.url),
      schema: harness.schema,
      logger,
      shiftMs: () => scene.now(),
    })
    onTestFinished(() => node.close())
    const there = await listenOn(node)
    proxy.refuse('outhook hints')
    proxy.cut()
    await expect.poll(() => proxy.refusals).toBeGreaterThanOrEqual(3)
    await node.ping()
    proxy.refuse(null)
    // Meanwhile it may have missed anything.
    await there.hears('work')
    there.heard.splice(0)
    await saysLastWord(scene, there)
    expect(said).toEqual([
      expect.stringContaining('are not heard'),
      expect.stringContaining('are heard again'),
    ])
  })
})

describe('a node (whose clock stands still where it must find nothing by looking)', () => {
  let schemas = 0

  /** One node as it comes, and one behind a proxy whose clock stands still. */
  async function aPair(first: AppSetup = {}) {
    const schema = `outhook_notify_${process.pid}_${++schemas}`
    onTestFinished(async () => {
      const client = new pg.Client({ connectionString: server.url })
      await client.connect()
      await client.query(`drop schema ${schema} cascade`)
      await client.end()
    })
    const proxy = await startTcpProxy(server.url)
    const clock = createManualClock(createSystemClock().now())
    const masterKey = 'ab'.repeat(32)
    const open = (url: string, setup: AppSetup) =>
      anApp({
        ...setup,
        store: `${url}?schema=${schema}`,
        options: { masterKey, drainDeadline: 0, ...setup.options },
      })
    return {
      schema,
      proxy,
      clock,
      first: await open(server.url, first),
      async openSecond(setup: AppSetup = { clock }) {
        const spied = Promise.withResolvers<Spied>()
        const app = await open(proxy.through(server.url), {
          ...setup,
          wrapStore: (store) => {
            const spy = spyOn(store)
            spied.resolve(spy)
            return spy.store
          },
        })
        return { app, ...(await spied.promise) }
      },
    }
  }

  type Spied = ReturnType<typeof spyOn>

  /** Notes what the node publishes and what it is told, the latter once the node has heard it. */
  function spyOn(store: Store) {
    const { cluster } = store
    if (cluster === null) throw new Error('a store of many nodes has a cluster')
    const published: PublishResult['kind'][] = []
    const handOffs = new Map<string, boolean>()
    const heard = new Set<string>()
    const spying: Store = {
      ...store,
      async publish(batch, options) {
        for (const { deliveries } of batch) {
          for (const { targetId, handOff } of deliveries) handOffs.set(targetId, handOff)
        }
        const results = await store.publish(batch, options)
        published.push(...results.map(({ kind }) => kind))
        return results
      },
      cluster: {
        ...cluster,
        listen: (listener) =>
          cluster.listen({
            onWork() {
              listener.onWork()
              heard.add('work')
            },
            onRoutingChanged(tenantId) {
              listener.onRoutingChanged(tenantId)
              heard.add(`routing of ${tenantId}`)
            },
            onPauseChanged(targetId, until) {
              listener.onPauseChanged(targetId, until)
              if (until !== null) heard.add(`pause of ${targetId}`)
            },
            onPaceKept: (pace) => listener.onPaceKept(pace),
          }),
      },
    }
    const hears = (what: string) => expect.poll(() => [...heard]).toContain(what)
    return { store: spying, published, handOffs, hears }
  }

  it('claims what another publishes', async () => {
    const receiver = await aReceiver()
    const { first, openSecond } = await aPair({ dispatch: false })
    await anEndpointAt(first.engine, `${receiver.url}/hook`)
    await (await openSecond()).hears('work')
    for (let count = 1; count <= 3; count++) {
      await publish(first.engine)
      await receiver.waitFor(count, patienceMs)
    }
  })

  it('claims it with notifications broken when its time to look has come', async () => {
    const receiver = await aReceiver()
    const { first, openSecond, proxy, clock, schema } = await aPair({ dispatch: false })
    await anEndpointAt(first.engine, `${receiver.url}/hook`)
    proxy.refuse('outhook hints')
    const { app } = await openSecond()
    const { sees } = await watchNotifications(schema)
    // Its look at the start is over by then.
    for (let asked = 0; asked < 5; asked++) await app.engine.ping()
    await publish(first.engine)
    await sees(1)
    await app.engine.ping()
    expect(receiver.received).toHaveLength(0)
    while (receiver.received.length === 0) {
      await clock.advance(500)
      await app.engine.ping()
    }
  })

  it('knows of a change that another made before it publishes', async () => {
    const [before, after] = [await aReceiver(), await aReceiver()]
    const { first, openSecond } = await aPair({ dispatch: false })
    const { endpoint } = await anEndpointAt(first.engine, `${before.url}/hook`)
    const { app, hears, published } = await openSecond()
    await hears('work')
    await publish(app.engine)
    await before.waitFor(1, patienceMs)
    await first.engine.endpoints.update(tenant, endpoint.id, { url: `${after.url}/hook` })
    await hears(`routing of ${tenant}`)
    await publish(app.engine)
    await after.waitFor(1, patienceMs)
    expect(published).toEqual(['published', 'published'])
  })

  it('hands off nothing to an endpoint that another has paused', async () => {
    const receiver = await aReceiver()
    const { first, openSecond } = await aPair({ options: { breakerThreshold: 1 } })
    const { endpoint } = await anEndpointAt(first.engine, `${receiver.url}/hook`)
    const { app, hears, handOffs } = await openSecond({})
    const isHandedOff = async () => {
      await publish(app.engine)
      return handOffs.get(endpoint.id)
    }
    await expect.poll(isHandedOff).toBe(true)
    await first.engine.endpoints.update(tenant, endpoint.id, { url: await aRefusedUrl() })
    await publish(first.engine)
    await hears(`pause of ${endpoint.id}`)
    expect(await isHandedOff()).toBe(false)
  })
})
