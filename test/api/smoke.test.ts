import { expect, test } from 'vitest'
import { aServer } from './a-server.ts'
test('x', async () => {
  const s = await aServer()
  const p = await s.producer()
  console.log(await s.call('POST', '/v1/endpoints', { body: { url: 'https://example.com/x', topics: ['a.*'] } }))
  const r = await s.call('POST', '/v1/events', { token: p.key, body: { topic: 'a.b', payload: { x: 1 } } })
  console.log(r)
  console.log((await s.call('GET', `/v1/events/${r.json.id}`, { token: p.key })).text)
  console.log((await s.call('GET', `/v1/deliveries`)).text)
  expect(r.status).toBe(202)
})
