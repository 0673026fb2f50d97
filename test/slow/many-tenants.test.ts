/** Ten thousand tenants: what they cost a process in memory and in time to start. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, onTestFinished, test } from 'vitest'
import { Outhook } from '../../src/index.ts'

const tenants = 10_000

/** Rows as the store makes them; through the library it would take a minute. */
function fill(path: string): void {
  const database = new DatabaseSync(path)
  database.exec('begin')
  const insertTenant = database.prepare(
    `insert into tenants (id, uid, name, settings, routing_version, created_at, updated_at) values (?, ?, '', ?, 1, 1, 1)`,
  )
  const insertEndpoint = database.prepare(
    `insert into endpoints (id, tenant_id, url, description, headers, signing_schemes, max_in_flight, created_at, updated_at)
     values (?, ?, 'https://receiver.example/', '', '{}', '["none"]', 32, 1, 1)`,
  )
  const insertSubscription = database.prepare(
    `insert into subscriptions (id, tenant_id, endpoint_id, topic_patterns, ordered, active, own, created_at, updated_at)
     values (?, ?, ?, '["*"]', 0, 1, 1, 1, 1)`,
  )
  for (let index = 0; index < tenants; index++) {
    const [tenant, endpoint, subscription] = [randomBytes(16), randomBytes(16), randomBytes(16)]
    insertTenant.run(tenant, `tenant-${index}`, `{"ingestRate":1000,"weight":${1 + (index % 100)}}`)
    insertEndpoint.run(endpoint, tenant)
    insertSubscription.run(subscription, tenant, endpoint)
  }
  database.exec('commit')
  database.close()
}

test('ten thousand tenants with an endpoint, a rate and a weight each cost neither memory nor start time worth mentioning', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const directory = mkdtempSync(join(tmpdir(), 'outhook-tenants-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const open = (name: string) =>
    Outhook.open({ store: `sqlite:${join(directory, name)}`, dispatch: false, onMasterKeyCreated: () => {} })
  for (const name of ['few.db', 'many.db']) await (await open(name)).close()
  fill(join(directory, 'many.db'))
  const starts = { few: [] as number[], many: [] as number[] }
  for (let round = 0; round < 7; round++) {
    for (const name of ['few', 'many'] as const) {
      const startedAt = performance.now()
      const hooks = await open(`${name}.db`)
      starts[name].push(performance.now() - startedAt)
      await hooks.close()
    }
  }

  const hooks = await open('many.db')
  onTestFinished(() => hooks.close())
  const publishToAll = async (from: number, to: number) => {
    for (let sent = from; sent < to; sent += 500) {
      const names = Array.from({ length: Math.min(500, to - sent) }, (_, index) => `tenant-${sent + index}`)
      await Promise.all(names.map((name) => hooks.tenant(name).publish({ topic: 'a', payload: 1 })))
    }
  }
  const heapMiB = () => {
    collect()
    return process.memoryUsage().heapUsed / 1024 / 1024
  }
  await publishToAll(0, 500)
  const before = heapMiB()
  await publishToAll(500, tenants)
  const cost = {
    heapMiB: Math.round(heapMiB() - before),
    startMs: Math.round(Math.min(...starts.many) - Math.min(...starts.few)),
  }
  expect(cost).toSatisfy(({ heapMiB }: typeof cost) => heapMiB < 60)
  // To read each of them at the start would take seconds.
  expect(cost).toSatisfy(({ startMs }: typeof cost) => startMs < 500)
})
