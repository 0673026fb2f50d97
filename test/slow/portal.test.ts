/** The portal in a real browser, on both stores. */
import { afterAll, beforeAll, describe } from 'vitest'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { openPortalBed, type PortalBed } from './dashboard/portal-bed.ts'
import { describePortalPlanting } from './dashboard/portal-planting.ts'
import { describePortal } from './dashboard/portal-scenes.ts'

describe('on SQLite', () => {
  let bed: PortalBed
  beforeAll(async () => {
    bed = await openPortalBed()
  })
  afterAll(() => bed?.close())
  describePortal(() => bed)
  // What pages do with texts does not depend on the store.
  describePortalPlanting(() => bed)
})

describe('on PostgreSQL', () => {
  let database: PostgresServer | undefined
  let bed: PortalBed
  beforeAll(async () => {
    database = await testedServers().at(-1)?.start()
    const store = `${database?.url}?schema=outhook_portal_${process.pid}`
    bed = await openPortalBed({ store, masterKey: 'ab'.repeat(32) })
  })
  afterAll(async () => {
    await bed?.close()
    await database?.stop()
  })
  describePortal(() => bed)
})
