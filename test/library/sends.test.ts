import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Outhook } from '../../src/index.ts'
import { describeSends } from './send-cases.ts'

const local = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }

describeSends(() => Outhook.open({ store: 'memory:', ...local }))

test('an idempotency key gives the first answer after its URL is allowed no more, and any other request is refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'outhook-sends-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const store = `sqlite:${join(folder, 'sends.db')}`
  const unkeyed = { url: 'http://127.0.0.1:1/', payload: 1, delay: '1h' }
  const given = { ...unkeyed, idempotencyKey: 'run-7' }
  const before = await Outhook.open({ store, ...local })
  const first = await before.send(given)
  await before.close()
  const after = await Outhook.open({ store })
  onTestFinished(() => after.close())
  expect(await after.send(given)).toEqual({ ...first, replayed: true })
  const others = [
    unkeyed,
    { ...given, payload: 2 },
    { ...given, idempotencyKey: 'run-8' },
    { ...given, url: 'http://127.0.0.1:1/ ' },
    { ...given, url: 'http://user:password@127.0.0.1:1/' },
  ]
  for (const other of others) {
    await expect(after.send(other)).rejects.toMatchObject({ code: 'url_rejected' })
  }
  expect((await after.events.list({})).items).toHaveLength(1)
})

test('an idempotency key gives the first answer after its timeout is allowed no more, and any other request is refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'outhook-sends-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const store = `sqlite:${join(folder, 'sends.db')}`
  const unkeyed = { url: 'http://127.0.0.1:1/', payload: 1, delay: '1h', timeout: '10s' }
  const given = { ...unkeyed, idempotencyKey: 'run-7' }
  const before = await Outhook.open({ store, ...local })
  const first = await before.send(given)
  await before.close()
  const after = await Outhook.open({
    store,
    ...local,
    connectTimeout: '1s',
    headersTimeout: '2s',
    totalTimeout: '5s',
  })
  onTestFinished(() => after.close())
  expect(await after.send(given)).toEqual({ ...first, replayed: true })
  const others = [unkeyed, { ...given, idempotencyKey: 'run-8' }, { ...given, timeout: 'soon' }]
  for (const other of others) {
    await expect(after.send(other)).rejects.toMatchObject({
      code: 'unprocessable',
      message: expect.stringContaining('timeout must be'),
    })
  }
  await expect(after.send({ ...given, payload: 2 })).rejects.toMatchObject({ code: 'unprocessable' })
  expect((await after.events.list({})).items).toHaveLength(1)
})
