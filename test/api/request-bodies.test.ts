import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { createRequestBodies, type RequestBodies } from '../../src/api/request-bodies.ts'

const limit = 1000

function upload(bodies: RequestBodies, declared?: number) {
  const payload = new PassThrough()
  const outcome = Promise.withResolvers<Buffer>()
  let state: 'open' | 'whole' | 'refused' = 'open'
  outcome.promise.catch(() => undefined)
  const incoming = { payload: payload as unknown as IncomingMessage, limit, declared: declared ?? Number.NaN }
  bodies.read(incoming, (error, body) => {
    state = error === null ? 'whole' : 'refused'
    if (error === null) outcome.resolve(body ?? Buffer.alloc(0))
    else outcome.reject(error)
  })
  return {
    outcome: outcome.promise,
    state: () => state,
    async send(text: string) {
      payload.write(text)
      await new Promise(setImmediate)
    },
    end: (text = '') => void payload.end(text),
    cutOff: () => void payload.destroy(),
  }
}

test('a body comes whole, however it was cut into chunks and whether its length was told', async () => {
  const bodies = createRequestBodies(10_000)
  const text = Array.from({ length: limit }, (_, n) => String(n % 10)).join('')
  for (const declared of [limit, undefined]) {
    for (const size of [1, 7, 333, limit]) {
      const one = upload(bodies, declared)
      for (let at = 0; at < limit; at += size) await one.send(text.slice(at, at + size))
      one.end()
      expect((await one.outcome).toString()).toBe(text)
    }
  }
})

test('a body over the limit is refused, by what it says or by what comes', async () => {
  const bodies = createRequestBodies(10_000)
  const tooLarge = { code: 'FST_ERR_CTP_BODY_TOO_LARGE', statusCode: 413 }
  await expect(upload(bodies, limit + 1).outcome).rejects.toMatchObject(tooLarge)
  const one = upload(bodies)
  await one.send('x'.repeat(limit))
  expect(one.state()).toBe('open')
  await one.send('x')
  await expect(one.outcome).rejects.toMatchObject(tooLarge)
})

test('without room the body that made no progress for the longest is given up, and whoever sends goes on', async () => {
  const bodies = createRequestBodies(3 * limit)
  const stalled = [upload(bodies, limit), upload(bodies, limit), upload(bodies, limit)]
  for (const one of stalled) await one.send('x'.repeat(900))
  // The first goes on, so the second has waited for longer.
  await stalled[0]?.send('x')
  const late = upload(bodies, 500)
  for (let n = 0; n < 5; n++) await late.send('y'.repeat(100))
  late.end()
  expect((await late.outcome).toString()).toBe('y'.repeat(500))
  expect(stalled.map(({ state }) => state())).toEqual(['open', 'refused', 'open'])
  await expect(stalled[1]?.outcome).rejects.toMatchObject({
    code: 'overloaded',
    status: 503,
    retryAfterSeconds: 1,
  })
})

test('room comes back from bodies that are whole, refused or cut off', async () => {
  const bodies = createRequestBodies(limit)
  for (let round = 0; round < 50; round++) {
    const whole = upload(bodies, 600)
    await whole.send('x'.repeat(600))
    whole.end()
    await whole.outcome
    const short = upload(bodies, 700)
    await short.send('x'.repeat(600))
    short.end()
    await expect(short.outcome).rejects.toMatchObject({ statusCode: 400 })
    const cut = upload(bodies, 700)
    await cut.send('x'.repeat(600))
    cut.cutOff()
    await expect(cut.outcome).rejects.toThrow()
  }
})

test('a body that alone is more than all may have is refused', async () => {
  const one = upload(createRequestBodies(500), limit)
  await one.send('x'.repeat(501))
  await expect(one.outcome).rejects.toMatchObject({ code: 'overloaded' })
})
