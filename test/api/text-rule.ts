/** What text may hold, tried on a server over a store of any kind: both answer alike. */
import { describe, expect, test } from 'vitest'
import type { TestServer } from './a-server.ts'

const half = '\ud83d'
const bad: readonly (readonly [string, string])[] = [
  ['NUL', 'a\0b'],
  ['half of a surrogate pair', `a${half}b`],
  ['the other half', 'a\udc00b'],
  ['an escape character', 'a\u001bb'],
  ['a control character of the second set', 'a\u0085b'],
]
const good = ['grün 😀', '\u2028 \ufffd', '\uffff']

const event = { topic: 'a', payload: 1 }
const endpoint = { url: 'https://example.com/hook' }

interface Place {
  readonly member: string
  readonly path: string
  readonly body: (text: string) => unknown
}

const places: readonly Place[] = [
  { member: 'topic', path: '/v1/events', body: (topic) => ({ ...event, topic }) },
  {
    member: 'payload.ordering_key',
    path: '/v1/events',
    body: (ordering_key) => ({ ...event, payload: { ordering_key } }),
  },
  { member: 'ordering_key', path: '/v1/events', body: (ordering_key) => ({ ...event, ordering_key }) },
  {
    member: 'idempotency key',
    path: '/v1/events',
    body: (idempotency_key) => ({ ...event, idempotency_key }),
  },
  { member: 'metadata.a', path: '/v1/events', body: (a) => ({ ...event, metadata: { a } }) },
  { member: 'uid', path: '/v1/endpoints', body: (uid) => ({ ...endpoint, uid }) },
  { member: 'description', path: '/v1/endpoints', body: (description) => ({ ...endpoint, description }) },
  { member: 'url', path: '/v1/endpoints', body: (text) => ({ url: `https://example.com/${text}` }) },
  { member: 'topics[0]', path: '/v1/endpoints', body: (topic) => ({ ...endpoint, topics: [topic] }) },
  { member: 'name', path: '/v1/keys', body: (name) => ({ name }) },
]

const filters = ['/v1/events?topic=', '/v1/deliveries?topic=', '/v1/dlq?topic=']

/** @param open a server of the store; once per test */
export function describeTextRule(open: () => Promise<TestServer>): void {
  describe('text that no store can hold', () => {
    test('is a 400 that names the member, wherever it stands', async () => {
      const server = await open()
      const wrong: unknown[] = []
      for (const { member, path, body } of places) {
        for (const [name, text] of bad) {
          const { status, json } = await server.call('POST', path, { body: body(text) })
          if (status !== 400 || !String(json?.detail).includes(member))
            wrong.push({ member, name, status, json })
        }
      }
      expect(wrong).toEqual([])
      expect((await server.call('GET', '/v1/events')).json.items).toEqual([])
      expect((await server.call('GET', '/v1/endpoints')).json.items).toEqual([])
    })

    test('is refused in one event of a batch, and hinders no other', async () => {
      const server = await open()
      const events = [
        { ...event, payload: { ordering_key: 'a\0b' } },
        { ...event, ordering_key: half },
        event,
      ]
      const { json } = await server.call('POST', '/v1/events/batch', { body: { events } })
      expect(json.items.map(({ status }: { status: number }) => status)).toEqual([400, 400, 202])
      expect(json.items[0].detail).toContain('payload.ordering_key')
    })

    test('is a 400 as a filter, and so are escapes that are no text', async () => {
      const { call } = await open()
      for (const path of filters) {
        for (const text of ['a%00b', '%1b', '%c2%85', '%ff', '%ed%a0%80', '%zz', '%']) {
          const { status, json } = await call('GET', path + text)
          expect([path + text, status]).toEqual([path + text, 400])
          expect(json.detail).toContain('topic')
        }
        expect((await call('GET', `${path}%f0%9f%98%80+%25`)).status).toBe(200)
      }
    })

    test('is a 400 in a header, where bytes that are not UTF-8 would make two keys one', async () => {
      const { raw, call } = await open()
      const body = JSON.stringify(event)
      for (const header of ['Idempotency-Key', 'X-Hookrail-Ordering-Key']) {
        for (const value of [Buffer.from([0x61, 0xe9]), Buffer.from([0x61, 0xc2, 0x85])]) {
          const head = `POST /v1/events HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer test-admin-token\r\ncontent-length: ${body.length}\r\n${header}: `
          const answer = await raw(Buffer.concat([Buffer.from(head), value, Buffer.from(`\r\n\r\n${body}`)]))
          expect(answer).toMatch(/^HTTP\/1.1 400 /)
        }
      }
      expect((await call('GET', '/v1/events')).json.items).toEqual([])
    })
  })

  test('text in any script is kept as it was given, and a description may have lines', async () => {
    const { call } = await open()
    for (const text of good) {
      const uid = await call('POST', '/v1/endpoints', {
        body: { ...endpoint, uid: text, description: `${text}\r\n\tb` },
      })
      expect(uid.status).toBe(201)
      const found = await call('GET', `/v1/endpoints/${uid.json.id}`)
      expect(found.json).toMatchObject({ uid: text, description: `${text}\r\n\tb` })
      const published = await call('POST', '/v1/events', { body: { ...event, ordering_key: text } })
      expect(published.status).toBe(202)
      expect((await call('GET', `/v1/events/${published.json.id}`)).json.ordering_key).toBe(text)
    }
  })

  test('a payload is bytes: escapes that no text holds are kept as they are', async () => {
    const { call } = await open()
    const payload = '{"a":"\\u0000\\ud800 \\u001b","ordering\\u0000key":"\\udc00","n":1.0}'
    const published = await call('POST', '/v1/events', { body: `{"topic":"a","payload":${payload}}` })
    expect(published.status).toBe(202)
    expect((await call('GET', `/v1/events/${published.json.id}/payload`)).text).toBe(payload)
  })
}
