/** Copies that are interrupted, repeated or refused. */
import { describe, expect, it } from 'vitest'
import { copiedTables } from '../../src/store/copied-tables.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import {
  aSchema,
  aSource,
  beside,
  clock,
  copy,
  failingFrom,
  fillVaried,
  openTarget,
  rowsOfPostgres,
  rowsOfSqlite,
  server,
  sql,
  withStore,
} from './a-copy.ts'
import { openScene, type Scene } from './contract/scene.ts'

describe('a copy that was interrupted', { timeout: 300_000 }, () => {
  const fill = async (scene: Scene) => {
    const route = await scene.anEndpoint()
    await scene.publishMany(3000, { routes: [route] })
  }

  it('goes on where it was, and no row is there twice', async () => {
    const path = await aSource(fill)
    const schema = aSchema()
    let written = 0
    for (const batch of [1, 2, 4, 7]) {
      await expect(copy(path, schema, { wrap: failingFrom(batch) })).rejects.toThrow('killed')
      const [row] = await sql<{ readonly rows: number }>(schema, 'select count(*)::int as rows from events')
      expect(row?.rows).toBeGreaterThanOrEqual(written)
      written = row?.rows ?? 0
    }
    const report = await copy(path, schema)
    expect(report.agree).toBe(true)
    expect(await rowsOfPostgres(schema)).toEqual(rowsOfSqlite(path))
    expect(report.written).toBeLessThan(report.counts.reduce((sum, { source }) => sum + source, 0))
  })

  it('goes on behind the last batch of any table', async () => {
    const path = await aSource(fillVaried)
    const schema = aSchema()
    const reached: string[] = []
    for (let isWhole = false; !isWhole; ) {
      const run = copy(path, schema, {
        wrap: failingFrom(2),
        onProgress: ({ table }) => reached.push(table),
      })
      isWhole = await run.then(
        ({ agree }) => agree,
        (error: Error) => {
          expect(error.message).toBe('killed')
          return false
        },
      )
    }
    const filled = copiedTables
      .map(({ name }) => name)
      .filter((name) => rowsOfSqlite(path)[name]?.length !== 0)
    expect(new Set(reached)).toEqual(new Set(filled))
    expect(await rowsOfPostgres(schema)).toEqual(rowsOfSqlite(path))
  })

  it('cannot be served from', async () => {
    const path = await aSource(fill)
    const schema = aSchema()
    await expect(copy(path, schema, { wrap: failingFrom(5) })).rejects.toThrow('killed')
    await expect(openPostgresStore({ url: server.url, schema })).rejects.toMatchObject({
      code: 'store_incompatible',
      message: expect.stringMatching(/not finished.*migrate-store/),
    })
    await copy(path, schema)
    await (await openPostgresStore({ url: server.url, schema })).close()
  })

  it('goes on behind a batch that its killed predecessor still had under way', async () => {
    const path = await aSource(fill)
    const schema = aSchema()
    let overtaken = 0
    const report = await copy(path, schema, {
      wrap: (target) => ({
        ...target,
        async write(batch, step) {
          if (step.to.table === 'events' && overtaken++ === 1) await target.write(batch, step)
          return target.write(batch, step)
        },
      }),
    })
    expect(overtaken).toBeGreaterThan(1)
    expect(report.agree).toBe(true)
    expect(await rowsOfPostgres(schema)).toEqual(rowsOfSqlite(path))
  })

  it('and that another run has finished meanwhile is left as it is', async () => {
    const report = await copy(await aSource(fill), aSchema(), {
      wrap: (target) => ({ ...target, write: async () => false, position: async () => null }),
    })
    expect(report).toMatchObject({ isNew: false, written: 0 })
  })

  it('at its very end is compared and released by the next run, or was released already', async () => {
    const path = await aSource(fill)
    for (const isReleased of [false, true]) {
      const schema = aSchema()
      const killed = copy(path, schema, {
        wrap: (target) => ({
          ...target,
          async finish(at) {
            if (isReleased) await target.finish(at)
            throw new Error('killed')
          },
        }),
      })
      await expect(killed).rejects.toThrow('killed')
      expect(await copy(path, schema)).toMatchObject({ isNew: !isReleased, agree: true, written: 0 })
      await openTarget(schema)
    }
  })

  it('starts over, and says so, when a server ran on the source meanwhile', async () => {
    const path = await aSource(fill)
    const schema = aSchema()
    await expect(copy(path, schema, { wrap: failingFrom(5) })).rejects.toThrow('killed')
    await withStore(path, async () => {})
    await expect(copy(path, schema)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(`drop schema "${schema}" cascade`),
    })
    await sql(schema, `drop schema ${schema} cascade`)
    expect((await copy(path, schema)).agree).toBe(true)
  })

  it('is no target for another source', async () => {
    const schema = aSchema()
    await expect(copy(await aSource(fill), schema, { wrap: failingFrom(5) })).rejects.toThrow('killed')
    await expect(copy(await aSource(), schema)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('the beginning of another copy'),
    })
  })
})

describe('a copy that is finished', { timeout: 300_000 }, () => {
  it('is left alone when it is asked for again, whatever the target did since', async () => {
    const path = await aSource(fillVaried)
    const schema = aSchema()
    await copy(path, schema)
    await sql(schema, 'delete from idempotency_keys')
    expect(await copy(path, schema)).toMatchObject({ isNew: false, agree: true, written: 0 })
  })

  it('is not empty for the next one', async () => {
    const schema = aSchema()
    await copy(await aSource(fillVaried), schema)
    await expect(copy(await aSource(), schema)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/not empty.*endpoints.*\?schema=NAME/),
    })
  })
})

describe('a copy is refused', { timeout: 300_000 }, () => {
  it('by a target that holds anything', async () => {
    const schema = aSchema()
    const store = await openPostgresStore({ url: server.url, schema })
    const scene = await openScene(async () => ({
      store,
      now: clock.now,
      advance: async () => {},
      close: () => store.close(),
    }))
    await scene.anEndpoint()
    await store.close()
    await expect(copy(await aSource(), schema)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('endpoints, subscriptions'),
    })
  })

  it('by a target that was started with another master key, and by none with the same', async () => {
    const path = await aSource(fillVaried)
    const schema = aSchema()
    const store = await openPostgresStore({ url: server.url, schema })
    await store.setMetaOnce('master_key_check', '99990000.check')
    await store.close()
    await expect(copy(path, schema)).rejects.toMatchObject({
      code: 'wrong_master_key',
      message: expect.stringMatching(/abcd1234.*99990000/),
    })
    await sql(schema, `update meta set value = 'abcd1234.check' where name = 'master_key_check'`)
    expect((await copy(path, schema)).agree).toBe(true)
  })

  it('while a server runs on the target, and not for one that is gone', async () => {
    const path = await aSource()
    const schema = aSchema()
    await (await openPostgresStore({ url: server.url, schema })).close()
    await sql(
      schema,
      `insert into nodes (id, usable_until, until) values (gen_random_uuid(), 0, ${clock.now() + 60_000})`,
    )
    await expect(copy(path, schema)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('a server runs on the target'),
    })
    await sql(schema, `update nodes set until = ${clock.now() - 60_000}`)
    expect((await copy(path, schema)).agree).toBe(true)
  })

  it('at its end, too, while a server runs on the target: it was just starting when the copy began', async () => {
    const path = await aSource(fillVaried)
    const schema = aSchema()
    const copying = copy(path, schema, {
      wrap: (target) => ({
        ...target,
        async counts() {
          await sql(
            schema,
            `insert into nodes (id, usable_until, until) values (gen_random_uuid(), 0, ${clock.now() + 60_000})`,
          )
          return target.counts()
        },
      }),
    })
    await expect(copying).rejects.toMatchObject({ code: 'conflict' })
    await expect(openPostgresStore({ url: server.url, schema })).rejects.toThrow('not finished')
  })

  it('while somebody owns the source, who is named', async () => {
    const path = await aSource()
    await withStore(path, async () => {
      await expect(copy(path, aSchema())).rejects.toMatchObject({
        code: 'store_locked',
        message: expect.stringContaining(`pid ${process.pid}`),
      })
    })
  })

  it('when the source has a column that would be lost', async () => {
    const path = await aSource()
    beside(path, 'alter table events add column mood text')
    await expect(copy(path, aSchema())).rejects.toMatchObject({
      code: 'store_incompatible',
      message: expect.stringContaining('events.mood'),
    })
  })

  it('when there is no source, and none is made', async () => {
    const path = await aSource()
    await expect(copy(`${path}.other`, aSchema())).rejects.toMatchObject({ code: 'not_found' })
  })

  it('for serving, when the counts differ at the end', async () => {
    const path = await aSource(fillVaried)
    const schema = aSchema()
    const report = await copy(path, schema, {
      wrap: (target) => ({
        ...target,
        async counts() {
          await sql(schema, `delete from deliveries where state = 'dead_lettered'`)
          return target.counts()
        },
      }),
    })
    expect(report.agree).toBe(false)
    expect(report.counts.filter(({ source, target }) => source !== target)).toEqual([
      { table: 'deliveries', state: 'dead_lettered', source: 2, target: 0 },
    ])
    await expect(openPostgresStore({ url: server.url, schema })).rejects.toMatchObject({
      code: 'store_incompatible',
    })
  })
})
