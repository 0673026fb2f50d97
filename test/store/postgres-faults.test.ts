import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Logger, silentLogger } from '../../src/core/logger.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import type { Store } from '../../src/store/port.ts'
import { postgresMigrations } from '../../src/store/postgres/connection/schema.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { startTcpProxy } from '../servers/tcp-proxy.ts'
import { anOutcome, breaker, leaseMs, openScene } from './contract/scene.ts'
import { openPostgresHarness, type PostgresHarness } from './postgres-harness.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let server: PostgresServer
beforeAll(async () => {
  server = await newest.start()
})
afterAll(() => server?.stop())

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function open() {
  const harness = await openPostgresHarness(server, { fresh: true })
  cleanups.push(() => harness.close())
  return { harness, scene: await openScene(async () => harness) }
}

/** Whatever limit a test gives the role: it is for those who are tested. */
async function connectBeside(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.url, options: '-c statement_timeout=0' })
  await client.connect()
  return client
}

async function onServer<Row extends object>(text: string): Promise<readonly Row[]> {
  const client = await connectBeside()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}

/** Somebody else's lock, and who waits for it. */
async function aLock(statement: string) {
  const client = await connectBeside()
  cleanups.push(() => client.end().catch(() => {}))
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  const waiting = `select pid from pg_stat_activity where ${rows[0]?.pid} = any (pg_blocking_pids(pid))`
  await client.query('begin')
  await client.query(statement)
  return {
    async isWaitedForBy(count: number): Promise<void> {
      while ((await onServer(waiting)).length < count);
    },
    cancelThoseThatWait: () => onServer(`select pg_cancel_backend(pid) from (${waiting}) w`),
    release: () => client.query('rollback'),
  }
}

const endConnections = `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'outhook %'`
const unavailable = { code: 'store_unavailable' }

describe('connections', () => {
  it('are opened again after the server has ended them', async () => {
    const { scene } = await open()
    const { event } = await scene.publish()
    await onServer(endConnections)
    const publishing = await Promise.allSettled(
      Array.from({ length: 5 }, async () =>
        scene.store.publish([await scene.anEvent({ routingVersion: 1 })], { leaseMs }),
      ),
    )
    for (const result of publishing) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject(unavailable)
    }
    expect((await scene.publish()).result.kind).toBe('published')
    expect(await scene.store.getEvent(defaultTenantId, event.id)).not.toBeNull()
  })

  it('that ended amid a claim leave nothing leased and nothing locked', async () => {
    const { harness, scene } = await open()
    const route = await scene.anEndpoint()
    await scene.publishMany(3, { routes: [route] })
    const blocker = new pg.Client({ connectionString: server.url })
    await blocker.connect()
    await blocker.query(`begin; lock table ${harness.schema}.delivery_counts in exclusive mode`)
    const refused = expect(scene.claim()).rejects.toMatchObject(unavailable)
    const waiting = `select pid from pg_stat_activity where application_name = 'outhook claim' and wait_event_type = 'Lock'`
    while ((await harness.sql(waiting)).length === 0);
    await harness.sql(`select pg_terminate_backend(pid) from (${waiting}) w`)
    await refused
    await blocker.query('rollback')
    await blocker.end()
    const { deliveries } = await scene.claim()
    expect(deliveries.map((delivery) => delivery.claimVersion)).toEqual([1, 1, 1])
  })

  it('commit durably whatever the role prefers', async () => {
    const { harness, scene } = await open()
    await harness.sql('alter role postgres set synchronous_commit = off')
    cleanups.push(() => onServer('alter role postgres reset synchronous_commit'))
    await harness.sql(
      `create table seen (setting text);
       create function note() returns trigger language plpgsql as $$ begin
         insert into seen values (current_setting('synchronous_commit')); return new; end $$;
       create trigger note after insert on events for each row execute function note()`,
    )
    await scene.publish()
    expect(await harness.sql('select setting from seen')).toEqual([{ setting: 'on' }])
  })
})

describe('a server that takes no writes', () => {
  it('makes publishing unavailable at once, and is used again when it takes them', async () => {
    const { harness, scene } = await open()
    const route = await scene.anEndpoint()
    await onServer('alter role postgres set default_transaction_read_only = on')
    await onServer(endConnections)
    const event = await scene.anEvent({ routes: [route], routingVersion: 2 })
    const refused = async (): Promise<unknown> => {
      // The first answer may be that of the connection that was ended.
      for (;;) {
        const error = await scene.store.publish([event], { leaseMs }).catch((reason: unknown) => reason)
        if (String(error).includes('25006')) return error
      }
    }
    try {
      expect(await refused()).toMatchObject(unavailable)
    } finally {
      await harness.sql('alter role postgres reset default_transaction_read_only')
      await harness.sql(endConnections)
    }
    await scene.store.ping().catch(() => {})
    await expect
      .poll(async () => (await scene.store.publish([event], { leaseMs }).catch(() => []))[0]?.kind)
      .toBe('published')
  })

  it('is not ready, and is asked on a new connection, which may lead to another server', async () => {
    const { scene } = await open()
    await scene.store.ping()
    const ofPublishing = () =>
      onServer<{ pid: number }>(`select pid from pg_stat_activity where application_name = 'outhook publish'`)
    const before = await ofPublishing()
    const applyNow = async (text: string): Promise<void> => {
      await onServer(text)
      await onServer('select pg_reload_conf()')
    }
    cleanups.push(() => applyNow('alter system reset default_transaction_read_only'))
    await applyNow('alter system set default_transaction_read_only = on')
    const isReady = () =>
      scene.store.ping().then(
        () => true,
        () => false,
      )
    await expect.poll(isReady).toBe(false)
    const old = async () =>
      (await ofPublishing()).filter(({ pid }) => before.some((each) => each.pid === pid))
    await expect.poll(old).toEqual([])
  })
})

describe('the time limit of a statement', () => {
  it('is the node’s own, whatever the role prefers', async () => {
    const { harness, scene } = await open()
    const route = await scene.anEndpoint()
    // A claim looks at deliveries only where some are due.
    await scene.publish({ routes: [route] })
    cleanups.push(() => onServer('alter role postgres reset statement_timeout'))
    await onServer(`alter role postgres set statement_timeout = '20ms'`)
    await onServer(endConnections)
    await scene.store.ping().catch(() => {})
    const lock = await aLock(`lock table ${harness.schema}.live_deliveries in access exclusive mode`)
    const publishing = scene.publish({ routes: [route] })
    const claiming = scene.claim()
    await lock.isWaitedForBy(2)
    // Longer than the role's limit, which is the server's to keep.
    await onServer(`select pg_sleep(0.05)`)
    await lock.release()
    expect((await publishing).result.kind).toBe('published')
    await claiming
  })

  it('undoes a publish, a claim and a record, and nothing is counted for it', async () => {
    const { harness, scene } = await open()
    const route = await scene.anEndpoint()
    const event = await scene.anEvent({ routes: [route] })
    const publish = () => scene.store.publish([event], { leaseMs })
    const cancelled = async (call: () => Promise<unknown>): Promise<void> => {
      const lock = await aLock(`lock table ${harness.schema}.delivery_counts in access exclusive mode`)
      const calling = expect(call()).rejects.toMatchObject(unavailable)
      await lock.isWaitedForBy(1)
      await lock.cancelThoseThatWait()
      await calling
      await lock.release()
    }
    await cancelled(publish)
    expect((await publish())[0]).toMatchObject({ kind: 'published' })
    await cancelled(() => scene.claim())
    const claimed = await scene.claimOne()
    expect(claimed).toMatchObject({ claimVersion: 1, lostClaims: 0 })
    await cancelled(() => scene.record(anOutcome(claimed)))
    expect((await scene.record(anOutcome(claimed))).recorded).toEqual([true])
    expect(await scene.delivery(claimed.id)).toMatchObject({ state: 'succeeded', attemptCount: 1 })
    expect((await scene.store.counts()).deliveries).toMatchObject({ succeeded: 1, pending: 0, in_flight: 0 })
  })
})

describe('when no connection is free', () => {
  it('whoever reads is refused in time, and publishing and claiming go on', async () => {
    const { harness, scene } = await open()
    const route = await scene.anEndpoint()
    const lock = await aLock(`lock table ${harness.schema}.deliveries in access exclusive mode`)
    const stuck = Array.from({ length: 3 }, () =>
      scene.store.listDeliveries(defaultTenantId, {}, { limit: 1, cursor: null }),
    )
    await lock.isWaitedForBy(3)
    const refused = expect(scene.store.getEvent(defaultTenantId, scene.ids.next('evt'))).rejects
    await scene.publish({ routes: [route], routingVersion: 2 })
    expect((await scene.claim()).deliveries).toHaveLength(1)
    await refused.toMatchObject(unavailable)
    await lock.release()
    expect(await Promise.all(stuck)).toHaveLength(3)
  })
})

// Found out by time limits of seconds.
describe('a server that does not answer', { timeout: 300_000 }, () => {
  async function openBehindProxy() {
    const { harness, scene } = await open()
    const proxy = await startTcpProxy(server.url)
    const said: string[] = []
    const note = (_: unknown, message: string): void => void said.push(message)
    const logger: Logger = { ...silentLogger, info: note, error: note }
    const store = await openPostgresStore({
      url: proxy.through(server.url),
      schema: harness.schema,
      logger,
      shiftMs: () => scene.now(),
    })
    cleanups.push(() => store.close())
    return { scene, store, proxy, said }
  }

  it('is found out once, and from then on every call is refused without asking it', async () => {
    const { scene, store, proxy, said } = await openBehindProxy()
    const { routingVersion } = await scene.anEvent()
    const publish = async () => store.publish([await scene.anEvent({ routingVersion })], { leaseMs })
    await store.ping()
    proxy.hold('everything')
    // Not by the time limit of its statement, which would come later.
    const foundOut = { ...unavailable, message: expect.stringContaining('the server does not answer') }
    await expect(publish()).rejects.toMatchObject(foundOut)
    const before = proxy.accepted
    for (let call = 0; call < 1000; call++) await expect(publish()).rejects.toMatchObject(unavailable)
    // At most the one that asks whether the server is back.
    expect(proxy.accepted - before).toBeLessThanOrEqual(1)
    proxy.hold('nothing')
    await expect.poll(() => publish().catch(() => null)).toMatchObject([{}])
    expect(said).toEqual([
      expect.stringContaining('does not answer'),
      expect.stringContaining('answers again'),
    ])
  })

  it('on a connection of before fails one call, and no other such connection is used', async () => {
    const { scene, store, proxy } = await openBehindProxy()
    const { routingVersion } = await scene.anEvent()
    const publish = async () => store.publish([await scene.anEvent({ routingVersion })], { leaseMs })
    const claim = () => store.claim({ limit: 1, maxBytes: 1, leaseMs, slots: new Map() })
    // Every lane has a connection, and that for publishing two.
    await Promise.all([publish(), publish(), claim(), store.ping(), store.recordOutcomes([], breaker)])
    proxy.holdThoseOpen()
    await expect(publish()).rejects.toMatchObject(unavailable)
    const [published] = await publish()
    expect(published?.kind).toBe('published')
    await Promise.all([claim(), store.ping(), store.setMetaOnce('a', 'b')])
  })

  it('is not waited for by whoever closes the store', async () => {
    const { scene, store, proxy } = await openBehindProxy()
    const event = await scene.anEvent()
    proxy.hold('everything')
    const publishing = expect(store.publish([event], { leaseMs })).rejects.toMatchObject(unavailable)
    await store.close()
    await publishing
  })
})

describe.skipIf(process.env.OUTHOOK_TEST_POSTGRES_URL)('a crash of the server', () => {
  it('loses nothing that was acknowledged, and no store has to be opened again', async () => {
    const { scene } = await open()
    const route = await scene.anEndpoint()
    const acknowledged: string[] = []
    const version = (await scene.store.loadRouting(defaultTenantId)).version
    let isDown = false
    const publishing = Array.from({ length: 8 }, async () => {
      for (;;) {
        const event = await scene.anEvent({ routes: [route], routingVersion: version })
        try {
          await scene.store.publish([event], { leaseMs })
          acknowledged.push(event.id)
        } catch (error) {
          expect(error).toMatchObject(unavailable)
          if (isDown) return
        }
      }
    })
    while (acknowledged.length < 100) await new Promise((resolve) => setImmediate(resolve))
    isDown = true
    await server.crash()
    await Promise.all(publishing)
    await expect(scene.store.ping()).rejects.toMatchObject(unavailable)

    await server.restart()
    await expect
      .poll(() =>
        scene.store.ping().then(
          () => true,
          () => false,
        ),
      )
      .toBe(true)
    for (const id of acknowledged) expect(await scene.store.getEvent(defaultTenantId, id)).not.toBeNull()
    const { pending } = (await scene.store.counts()).deliveries
    expect(pending).toBeGreaterThanOrEqual(acknowledged.length)
    const { deliveries } = await scene.claim({ limit: 10 })
    const { recorded } = await scene.store.recordOutcomes(
      deliveries.map((each) => anOutcome(each)),
      breaker,
    )
    expect(recorded).toEqual(Array.from({ length: 10 }, () => true))
  })
})

describe('the schema', () => {
  const schemaOf = (harness: PostgresHarness, name: string) => `${harness.schema}_${name}`

  it('is made once by nodes that start together', async () => {
    const { harness } = await open()
    const schema = schemaOf(harness, 'together')
    cleanups.push(() => onServer(`drop schema ${schema} cascade`))
    const nodes = await Promise.all(
      Array.from({ length: 4 }, () => openPostgresStore({ url: server.url, schema })),
    )
    await Promise.all(nodes.map((node: Store) => node.ping()))
    await Promise.all(nodes.map((node) => node.close()))
    const applied = await onServer<{ version: number }>(`select version from ${schema}.schema_migrations`)
    expect(applied).toEqual(postgresMigrations.map(({ version }) => ({ version })))
  })

  it('is refused when a newer Outhook has changed it beyond what this one knows', async () => {
    const { harness } = await open()
    await harness.sql(
      `insert into schema_migrations (version, name, oldest_compatible) values (99, 'later', 98)`,
    )
    await expect(openPostgresStore({ url: server.url, schema: harness.schema })).rejects.toMatchObject({
      code: 'store_incompatible',
    })
  })

  it('of a newer Outhook is used beside it when it says so', async () => {
    const { harness, scene } = await open()
    await harness.sql(
      `insert into schema_migrations (version, name, oldest_compatible) values (99, 'later', 1)`,
    )
    await harness.sql('alter table endpoints add column later text')
    const node = await harness.openNode()
    await node.ping()
    await scene.anEndpoint()
    expect((await node.loadRouting(defaultTenantId)).endpoints).toHaveLength(1)
  })

  it('cannot be reached under a wrong address, and the error says so', async () => {
    await expect(
      openPostgresStore({ url: 'postgres://postgres@127.0.0.1:1/postgres' }),
    ).rejects.toMatchObject(unavailable)
  })
})
