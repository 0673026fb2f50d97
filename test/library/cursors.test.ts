/** Cursors and versions over restarts and jumps of the clock. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Outhook } from '../../src/index.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { aServer } from '../api/a-server.ts'

test('a cursor is good after a restart, and with another master key it is not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'outhook-cursors-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const options = { store: `sqlite:${join(folder, 'hooks.db')}`, allowNetworks: ['127.0.0.0/8'] }
  const before = await Outhook.open(options)
  for (let at = 0; at < 3; at++) await before.endpoints.create({ url: 'https://127.0.0.1/' })
  const { items, nextCursor: cursor } = await before.endpoints.list({ limit: 1 })
  await before.close()

  const after = await Outhook.open(options)
  const rest = await after.endpoints.list({ cursor })
  expect([...items, ...rest.items]).toEqual((await after.endpoints.list()).items)
  await expect(after.endpoints.list({ cursor, includeDeleted: true })).rejects.toMatchObject({
    code: 'bad_cursor',
  })
  await after.close()

  const other = await Outhook.open({ store: 'memory:' })
  await expect(other.endpoints.list({ cursor })).rejects.toMatchObject({ code: 'bad_cursor' })
  await other.close()
})

test('a clock that jumps changes neither versions nor what a cursor leads to', async () => {
  const clock = createManualClock()
  const server = await aServer({ clock, config: { allowNetworks: ['127.0.0.0/8'] } })
  const make = () => server.call('POST', '/v1/endpoints', { body: { url: 'https://127.0.0.1/' } })
  const { id } = (await make()).json
  await make()
  const tag = (await server.call('GET', `/v1/endpoints/${id}`)).headers.get('etag') ?? ''
  const cursor = (await server.call('GET', '/v1/endpoints?limit=1')).json.next_cursor
  clock.jump(-86_400_000)
  await make()
  expect((await server.call('GET', `/v1/endpoints?cursor=${cursor}`)).json.items).toMatchObject([{ id }])
  const change = (ifMatch: string) =>
    server.call('PATCH', `/v1/endpoints/${id}`, {
      body: { description: 'a' },
      headers: { 'if-match': ifMatch },
    })
  const changed = await change(tag)
  expect(changed.status).toBe(200)
  expect([(await change(tag)).status, (await change(changed.headers.get('etag') ?? '')).status]).toEqual([
    412, 200,
  ])
})
