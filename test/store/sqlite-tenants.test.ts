import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { idToBytes } from '../../src/core/ids.ts'
import { StatementCache } from '../../src/store/sqlite/connection/statement-cache.ts'
import { findNumber } from '../../src/store/sqlite/rows/names.ts'
import { openScene } from './contract/scene.ts'
import { aFullTenant, removeTenants } from './contract/tenant-removal.ts'
import { openFileHarness } from './sqlite-harness.ts'

test('no table has a row of a tenant that was removed, but the one that says so', async () => {
  const harness = await openFileHarness()
  const scene = await openScene(async () => harness)
  const { tenantId } = await aFullTenant(scene)
  const rowsOfTenant = () => {
    const database = new DatabaseSync(harness.path, { readOnly: true })
    const number = findNumber(new StatementCache(database), idToBytes(tenantId))
    const columns = database
      .prepare(
        `select t.name as "table", c.name as "column" from sqlite_schema t join pragma_table_info(t.name) c
         where t.type = 'table' and c.name in ('tenant', 'tenant_id')`,
      )
      .all()
    const found = columns.map(({ table, column }) => {
      const value = column === 'tenant' ? number : idToBytes(tenantId)
      const row = database.prepare(`select count(*) as rows from ${table} where ${column} = ?`).get(value)
      return [table, row?.rows] as const
    })
    const others = [
      'attempts',
      'endpoint_secrets',
      'endpoint_shares',
      'fan_out_ranges',
      'fan_out_receivers',
      'api_key_hashes',
      'handoffs',
      'skipped_heads',
    ]
    const all = others.map(
      (table) => [table, database.prepare(`select count(*) as rows from ${table}`).get()?.rows] as const,
    )
    database.close()
    return Object.fromEntries([...found, ...all].filter(([, rows]) => rows !== 0))
  }
  expect(Object.keys(rowsOfTenant()).length).toBeGreaterThan(15)
  expect(rowsOfTenant()).toMatchObject({ ordered_keys: 2, skipped_heads: 1 })
  await scene.store.deleteTenant(tenantId)
  await removeTenants({
    ...scene,
    advance: async (ms) => {
      await scene.advance(ms)
      await scene.store.reconcileReady({ limit: 100 })
      await scene.claim()
    },
  })
  expect(rowsOfTenant()).toEqual({})
  await scene.close()
})
