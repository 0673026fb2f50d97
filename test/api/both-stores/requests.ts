/** Rows of docs/compatibility.md on what a receiver gets, and what is shown of it. */
import { createHmac } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { atOnce } from './outcomes.ts'
import type { SendingScene } from './sending-scene.ts'

export function describeRequests(scene: SendingScene): void {
  test('S1.3 an event shows its deliveries and their attempts, up to succeeded', async () => {
    const { id, eventId } = await scene.deliver(`${scene.receiver.url}/succeed`)
    await scene.attempted(id)
    const event = (await scene.server.call('GET', `/v1/events/${eventId}`)).json
    expect(event.deliveries).toMatchObject([
      { id, state: 'succeeded', attempt_count: 1, next_attempt_at: null, attempts_truncated: false },
    ])
    const attempt = {
      attempt_no: 1,
      claim_version: 1,
      status: 'success',
      http_status: 200,
      error_class: null,
    }
    expect(event.deliveries[0].attempts).toEqual([expect.objectContaining(attempt)])
    expect(Number.isInteger(event.deliveries[0].attempts[0].latency_ms)).toBe(true)
    expect((await scene.shown(id)).attempts).toMatchObject([
      { ...attempt, response: { encoding: 'utf8', truncated: false } },
    ])
  })

  test.each([
    ['integers beyond 2^53', '{"n":12345678901234567890123}'],
    ['the order of keys', '{"b":1,"a":2,"1":3}'],
    ['a key that stands there twice', '{"a":1,"a":2}'],
    ['spacing', '{\n\t"a" :  [ 1 , 2 ] }'],
    ['escapes', '{"a":"\\u00e9\\/\\ud83d\\ude00 é 😀"}'],
    ['numbers as they were written', '[1.0,1e2,-0,1E+2]'],
    ['a payload that is no object', '"text"'],
  ])(
    'S1.16 %s reach the receiver byte for byte with the six headers, and so does the retry',
    async (_, payload) => {
      const settings = { signing_schemes: ['hookrail'], retry_policy: atOnce }
      const { id, eventId, topic } = await scene.deliver(`${scene.receiver.url}/fail/1`, settings, payload)
      const requests = await scene.arrived(id, 2)
      expect(requests.map(({ body }) => Buffer.from(body).toString())).toEqual([payload, payload])
      for (const { headers } of requests) {
        expect(headers).toMatchObject({
          'content-type': 'application/json',
          'user-agent': expect.stringMatching(/^outhook\//),
          'hookrail-event-id': eventId,
          'hookrail-delivery-id': id,
          'hookrail-topic': topic,
          'hookrail-signature': expect.stringMatching(/^t=\d+,v1=[0-9a-f]{64}$/),
        })
      }
    },
  )

  test('S1.17 F2 the signature follows hookrail’s rule, and the standard one, with id and time, passes its own verifier', async () => {
    const settings = { signing_schemes: ['hookrail', 'standard'] }
    const { id, endpoint } = await scene.deliver(`${scene.receiver.url}/hook`, settings, '{ "é": 1 }')
    const [request] = await scene.arrived(id)
    const { headers, body } = request!
    const [, seconds, signature] = /^t=(\d+),v1=(\w+)$/.exec(headers['hookrail-signature'] ?? '') ?? []
    const hmac = createHmac('sha256', endpoint.secret).update(`${seconds}.${id}.`).update(body)
    expect(signature).toBe(hmac.digest('hex'))
    expect(new Webhook(endpoint.secret).verify(Buffer.from(body), { ...headers })).toEqual({ é: 1 })
    expect(() => new Webhook(endpoint.secret).verify('{ "é": 2 }', { ...headers })).toThrow()
  })
}
