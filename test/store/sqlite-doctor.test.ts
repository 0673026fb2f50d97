import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSystemClock } from '../../src/core/clock.ts'
import { createKeyring } from '../../src/core/keyring.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { StoreThread } from '../../src/store/sqlite/threads/store-thread.ts'
import { examineSqlite, type SqliteExamination } from '../../src/store/sqlite/upkeep/doctor.ts'
import { examineSqliteInUse } from '../../src/store/sqlite/upkeep/examine-in-use.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { aLine } from './contract/ordering.ts'
import { anOutcome, openScene, retryIn } from './contract/scene.ts'
import { openFileHarness } from './sqlite-harness.ts'

const masterKey = createKeyring([new Uint8Array(32).fill(7)], randomBytes)

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'outhook-doctor-'))
  path = join(directory, 'hooks.db')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function examine(options: Partial<SqliteExamination> = {}) {
  return examineSqlite({ path, masterKey, processes: 1, now: createSystemClock().now, ...options })
}

async function aStore(): Promise<void> {
  const store = await openSqliteStore({ path, clock: createSystemClock() })
  await store.setMetaOnce('master_key_check', masterKey.checkValue)
  await store.close()
}

test('a healthy file has nothing to complain about, also while its owner runs', async () => {
  await aStore()
  expect(examine().filter(({ level }) => level !== 'ok')).toEqual([])
  const owner = await openSqliteStore({ path, clock: createSystemClock() })
  try {
    const findings = examine()
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([])
    expect(findings.find(({ check }) => check === 'owner')?.found).toContain(`pid ${process.pid}`)
  } finally {
    await owner.close()
  }
})

test('a file that is not there is a warning, and is not made', () => {
  expect(examine()).toMatchObject([{ check: 'file', level: 'warning' }])
  expect(examine()).toMatchObject([{ check: 'file', level: 'warning' }])
})

test('another master key is a problem that names both', async () => {
  await aStore()
  const other = createKeyring([new Uint8Array(32).fill(8)], randomBytes)
  const finding = examine({ masterKey: other }).find(({ check }) => check === 'master key')
  expect(finding).toMatchObject({ level: 'problem' })
  expect(finding?.found).toContain(masterKey.fingerprint)
  expect(finding?.found).toContain(other.fingerprint)
})

test('what is no database, or one that needs a newer Outhook, is a problem', async () => {
  writeFileSync(path, 'this is no database, however long it is'.repeat(50))
  expect(examine().at(-1)).toMatchObject({ check: 'schema', level: 'problem' })
  rmSync(path)
  await aStore()
  const database = new DatabaseSync(path)
  database.exec(`insert into schema_migrations values (99, 'x', 0, 99)`)
  database.close()
  expect(examine().at(-1)).toMatchObject({
    check: 'schema',
    level: 'problem',
    found: expect.stringContaining('run a newer Outhook'),
  })
})

test('a journal that somebody changed is a problem', async () => {
  await aStore()
  const database = new DatabaseSync(path)
  database.exec('pragma journal_mode = delete')
  database.close()
  expect(examine().find(({ check }) => check === 'journal')).toMatchObject({
    level: 'problem',
    found: 'delete',
  })
})

test('a delivery that is due for long is told', async () => {
  await aStore()
  const database = new DatabaseSync(path)
  const dueAt = createSystemClock().now() - 120_000
  database.exec(`
    insert into ready_endpoints values (zeroblob(16), zeroblob(16), 1);
    insert into names (n, id) values (1, zeroblob(16));
    insert into live_deliveries (k, id, tenant, event_k, target, state, due_at, attempt_count, claim_version,
      lost_claims, created_at, updated_at)
    values (1, zeroblob(16), 1, 1, 1, 0, ${dueAt}, 0, 0, 0, 1, 1)`)
  database.close()
  expect(examine({ now: () => dueAt + 120_000 }).find(({ check }) => check === 'backlog')).toMatchObject({
    level: 'warning',
    found: expect.stringContaining('the oldest due for 120.0 s'),
  })
})

test('a clock behind what the store has seen is told, and so is one that has jumped', async () => {
  await aStore()
  const { now } = createSystemClock()
  const clockOf = (shiftMs: number) =>
    examine({ now: () => now() + shiftMs }).find(({ check }) => check === 'clock')
  expect(clockOf(0)).toMatchObject({ level: 'ok', found: 'steady' })
  expect(clockOf(-3_600_000)).toMatchObject({ level: 'warning', found: expect.stringContaining('behind') })
  const clock = createManualClock(now() - 3_600_000)
  await (await openSqliteStore({ path, clock })).close()
  expect(clockOf(0)).toMatchObject({ level: 'warning', found: expect.stringContaining('jumped') })
})

test('an expunge that was cut off is a warning, until it is done again', async () => {
  const harness = await openFileHarness()
  const scene = await openScene(async () => harness)
  try {
    const expunged = () => examine({ path: harness.path }).filter(({ check }) => check === 'expunged')
    expect(expunged()).toEqual([])
    const { event, deliveryId } = await scene.publish({ routes: [await scene.anEndpoint()] })
    await scene.record(anOutcome(await scene.claimOne(), { next: retryIn(0) }))
    await scene.record(anOutcome(await scene.claimOne()))
    await scene.store.expungePayload(defaultTenantId, event.id)
    expect(expunged()).toMatchObject([{ level: 'warning', advice: expect.stringContaining(event.id) }])
    await scene.store.expungeAnswers([deliveryId])
    expect(expunged()).toMatchObject([{ level: 'ok', found: '1 payloads were expunged on demand' }])
  } finally {
    await scene.close()
  }
})

test('a line of ordered deliveries that nothing would move on is a problem, until a server has mended it', async () => {
  const store = await openSqliteStore({ path, clock: createSystemClock() })
  const scene = await openScene(async () => ({
    store,
    now: createSystemClock().now,
    advance: () => Promise.reject(new Error('the clock of this test is the real one')),
    close: () => store.close(),
  }))
  const route = await scene.anEndpoint({ ordered: true })
  const [head, second] = await aLine(scene, route, 3, 'stuck')
  await aLine(scene, route, 1, 'fine')
  await scene.store.close()
  const keys = () => examine().find(({ check }) => check === 'ordered keys')
  expect(keys()).toMatchObject({ level: 'ok', found: '2 with deliveries, 0 blocked by a dead letter' })
  const database = new DatabaseSync(path)
  database.exec(`delete from live_deliveries where reason is null and line = (
    select line from ordered_keys where ordering_key = 'stuck')`)
  database.close()
  expect(keys()).toMatchObject({ level: 'problem', found: expect.stringContaining('1 with no head') })
  const mended = await openSqliteStore({ path, clock: createSystemClock() })
  await mended.reconcileReady({ limit: 1 })
  await mended.reconcileReady({ limit: 1 })
  const page = await mended.listOrderedKeys(
    route.tenantId,
    { orderingKey: 'stuck' },
    { limit: 1, cursor: null },
  )
  expect(page.items).toMatchObject([{ headDeliveryId: second, length: 2 }])
  expect(page.items[0]?.headDeliveryId).not.toBe(head)
  await mended.close()
  expect(keys()).toMatchObject({ level: 'ok' })
})

test('an examination beside the owner is cut off when that is asked for, and its thread has ended then', async () => {
  await aStore()
  const abort = new AbortController()
  const exited = vi.spyOn(StoreThread.prototype, 'close')
  const { request } = StoreThread.prototype
  const asking = vi.spyOn(StoreThread.prototype, 'request').mockImplementation(function (
    this: StoreThread,
    ...args
  ) {
    const answer = request.apply(this, args)
    abort.abort()
    return answer as never
  })
  const examination = { path, processes: 1, masterKeys: [] }
  await expect(examineSqliteInUse(examination, abort.signal)).rejects.toThrow('thread has ended')
  await expect(exited.mock.results[0]?.value).resolves.toBeUndefined()
  asking.mockRestore()
  exited.mockRestore()
  await expect(examineSqliteInUse(examination, abort.signal)).rejects.toThrow('aborted')
})
