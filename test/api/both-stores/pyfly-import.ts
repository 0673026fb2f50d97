/** `outhook import pyfly`: what was configured for pyfly's callbacks delivers here as it did there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ReceivedRequest } from '../../../src/testing/received-request.ts'
import { type Receiver, startReceiver } from '../../../src/testing/receiver.ts'
import { verify } from '../../../src/verify/index.ts'
import { runToEnd } from '../../cli/run-cli.ts'
import { patienceMs } from '../../patience.ts'
import { adminToken, type TestServer } from '../a-server.ts'
import type { OpenServer } from '../hookrail-rows.ts'
import { loopback } from './sending-scene.ts'

const secrets = ['mysecret', 'topsecret', 'bearer-of-acme', 'api-key-0123456789', 'pass-word', 'from-the-url']

/** Payloads as they are published, and pyfly's own signatures of them. */
const vectors = [
  ['mysecret', '{ "order_id" : 99 }', '03010e58206f219569b7d27b0d294c2edb8e255a13bfcff8dc3f430f2d2800d7'],
  ['topsecret', '{"b":2,"a":1}', '2a9cb6b71d9c7fdb1202b32002aa6f765b584bddf1b1ed248800b3f5ea58f123'],
  ['topsecret', '{"～":1,"😀":2,"z":3}', '2f57aa6d6cb5a4a9e7dabdd9ba4ce220a8d0e76f7819668552b18a887c96257c'],
  [
    'topsecret',
    '{"sl":"a/b\u2028\u007f","ok":true,"none":null,"name":"José","n":[1,1.5,1.0,1e16,1e-7],"emoji":"😀","é":1}',
    '4e7c7952e00d74f2fef973eec0e4cec65eef14b3eb1c788b3d814f143ea8dbb4',
  ],
] as const

/** As `dataclasses.asdict` writes configs, with everything in them that there is. */
const fileFor = (url: string) => ({
  pyfly: {
    callbacks: {
      enabled: true,
      http: { timeout: '10s', 'circuit-breaker': { 'failure-threshold': 5, 'recovery-timeout': 30 } },
    },
  },
  configs: [
    {
      id: 'c1',
      tenant_id: 'acme',
      name: 'Orders',
      enabled: true,
      subscriptions: [
        {
          event_type: 'orders.created',
          target_url: `${url}/acme/orders`,
          headers: { 'X-Shop': 'berlin', Authorization: 'Bearer bearer-of-acme' },
        },
        { event_type: 'orders.created', target_url: `${url}/acme/all`, headers: {} },
        {
          event_type: '*',
          target_url: `${url}/acme/all`,
          headers: { 'Content-Type': 'application/vnd.acme+json' },
        },
      ],
      authorized_domains: [{ domain: '127.0.0.1', description: '' }],
      secret: 'mysecret',
      max_attempts: 5,
      backoff_ms: 5000,
    },
    {
      id: 'c2',
      tenant_id: 'acme',
      name: 'Numbers',
      subscriptions: [
        { event_type: 'numbers', target_url: `${url}/acme/numbers` },
        { event_type: 'failing', target_url: `${url}/status/503` },
        { event_type: 'numbers', target_url: 'http://evil.test/hook' },
      ],
      authorized_domains: [{ domain: '127.0.0.1', description: '' }],
      secret: 'topsecret',
      max_attempts: 3,
      backoff_ms: 30,
    },
    {
      id: 'c3',
      tenant_id: 'acme',
      enabled: false,
      subscriptions: [{ event_type: '*', target_url: `${url}/acme/disabled` }],
      authorized_domains: [{ domain: '127.0.0.1', description: '' }],
    },
    {
      id: 'c4',
      subscriptions: [
        { event_type: 'a', target_url: `${url}/key`, headers: { 'X-Api-Key': 'api-key-0123456789' } },
        {
          event_type: 'a',
          target_url: `${url}/basic`,
          headers: { Authorization: `Basic ${btoa('me:pass-word')}` },
        },
        { event_type: 'a', target_url: url.replace('//', '//shop:from-the-url@').concat('/user') },
      ],
      secret: null,
    },
  ],
})

export function describePyflyImport(newStore: () => OpenServer): void {
  describe('outhook import pyfly', () => {
    const directory = mkdtempSync(join(tmpdir(), 'outhook-import-'))
    const file = join(directory, 'callbacks.json')
    const closing: (() => Promise<void>)[] = []
    let server: TestServer
    let receiver: Receiver
    beforeAll(async () => {
      receiver = await startReceiver()
      writeFileSync(file, JSON.stringify(fileFor(receiver.url), null, '\t'))
      const closeWith = (close: () => Promise<void>): void => void closing.push(close)
      server = await newStore()({ dispatch: true, config: loopback, closeWith })
    })
    afterAll(async () => {
      await Promise.all(closing.map((close) => close()))
      await receiver?.close()
      rmSync(directory, { recursive: true })
    })

    const run = async (...flags: string[]) => {
      const connection = ['--url', server.url, '--token', adminToken, '--json']
      const { code, out, err } = await runToEnd(['import', 'pyfly', file, ...flags, ...connection])
      expect([err, code]).toEqual(['', 0])
      for (const secret of secrets) expect(out).not.toContain(secret)
      return JSON.parse(out)
    }
    const publish = async (tenant: string, topic: string, payload: string) => {
      const body = `{"topic":"${topic}","payload":${payload}}`
      const { json, status } = await server.call('POST', `/v1/events?tenant=${tenant}`, { body })
      expect(status).toBe(202)
      return json as { readonly id: string; readonly delivery_ids: readonly string[] }
    }
    const arrived = async ({ id, delivery_ids }: Awaited<ReturnType<typeof publish>>) => {
      const ofIt = (all: readonly ReceivedRequest[]) => all.filter(({ eventId }) => eventId === id)
      return ofIt(await receiver.waitFor((all) => ofIt(all).length >= delivery_ids.length, patienceMs))
    }
    const everything = async () => {
      const list = async (what: string, tenant: string) =>
        (await server.call('GET', `/v1/${what}?limit=100&tenant=${tenant}`)).json.items
      const tenants = (await server.call('GET', '/v1/tenants')).json.items
      const uids: string[] = tenants.map(({ uid }: { uid: string }) => uid)
      const lists = uids.flatMap((uid) =>
        ['endpoints', 'subscriptions', 'credentials'].map((what) => list(what, uid)),
      )
      return { tenants, items: (await Promise.all(lists)).flat() as { id: string }[] }
    }

    test('a dry run says what would be made, and makes nothing', async () => {
      const before = await everything()
      const { dry_run, made } = await run('--dry-run')
      expect(dry_run).toBe(true)
      expect(made).toContainEqual({
        kind: 'tenant',
        name: 'acme',
        id: null,
        result: 'created',
        tenant: 'acme',
      })
      expect(made.every(({ result }: { result: string }) => result === 'created')).toBe(true)
      expect(await everything()).toEqual(before)
    })

    test('what is imported is there once, however often it is imported', async () => {
      const first = await run()
      const names = (items: readonly { kind: string; tenant: string }[], kind: string) =>
        items.filter((one) => one.kind === kind).map(({ tenant }) => tenant)
      expect(names(first.made, 'endpoint')).toHaveLength(8)
      expect(names(first.made, 'subscription')).toHaveLength(9)
      expect(names(first.made, 'credential')).toEqual(['acme', 'default', 'default', 'default'])
      const before = await everything()
      const second = await run()
      expect(second.made.every(({ result }: { result: string }) => result === 'updated')).toBe(true)
      const after = await everything()
      expect(after.items.map(({ id }) => id)).toEqual(before.items.map(({ id }) => id))
      expect(after.tenants.map(({ id }: { id: string }) => id)).toEqual(
        before.tenants.map(({ id }: { id: string }) => id),
      )
      const [acme] = after.tenants.filter(({ uid }: { uid: string }) => uid === 'acme')
      expect(acme.settings.authorized_domains).toEqual(['127.0.0.1'])
    })

    test('what pyfly would not call, or has as a setting of its own, is named with what to do', async () => {
      const { not_carried_over } = await run()
      expect(not_carried_over).toEqual([
        {
          line: expect.any(Number),
          path: 'configs[1].subscriptions[2].target_url',
          problem: expect.stringContaining('authorized_domains do not name'),
          advice: expect.stringContaining('add the host to authorized_domains'),
          is_loss: false,
        },
      ])
    })

    test.each(vectors)(
      'S4.3 pyfly’s vector under %s: %s arrives as pyfly signs it',
      async (secret, payload, digest) => {
        const topic = secret === 'mysecret' ? 'orders.created' : 'numbers'
        const event = await publish('acme', topic, payload)
        const path = secret === 'mysecret' ? '/acme/orders' : '/acme/numbers'
        const request = (await arrived(event)).find((one) => one.path === path)
        const { headers = {}, body = '' } = request ?? {}
        expect(headers['x-pyfly-signature']).toBe(`sha256=${digest}`)
        expect(headers).not.toHaveProperty('webhook-signature')
        // Over the bytes that arrived, and over the canonical form of what was published.
        await verify({ headers, body }, { scheme: 'pyfly', secrets: secret })
        await verify({ headers, body: payload }, { scheme: 'pyfly', secrets: secret })
      },
    )

    test('S4.1 S4.9 each subscription that matches gets the event with its own headers, the disabled config and other tenants nothing', async () => {
      const event = await publish('acme', 'orders.created', '{"order_id":99}')
      const requests = await arrived(event)
      expect(requests.map(({ path }) => path).sort()).toEqual(['/acme/all', '/acme/all', '/acme/orders'])
      const [orders] = requests.filter(({ path }) => path === '/acme/orders')
      expect(orders?.headers).toMatchObject({
        'x-shop': 'berlin',
        authorization: 'Bearer bearer-of-acme',
        'content-type': 'application/json',
      })
      const types = requests
        .filter(({ path }) => path === '/acme/all')
        .map(({ headers }) => headers['content-type'])
      expect(types.sort()).toEqual(['application/json', 'application/vnd.acme+json'])
      for (const request of requests) {
        if (request !== orders) expect(request.headers).not.toHaveProperty('authorization')
      }
    })

    test('secrets among headers and in the URL become credentials, and requests without a secret go unsigned', async () => {
      const requests = await arrived(await publish('default', 'a', '{"b":1}'))
      const by = Object.fromEntries(requests.map(({ path, headers }) => [path, headers]))
      expect(Object.keys(by).sort()).toEqual(['/basic', '/key', '/user'])
      expect(by['/key']?.['x-api-key']).toBe('api-key-0123456789')
      expect(by['/basic']?.authorization).toBe(`Basic ${btoa('me:pass-word')}`)
      expect(by['/user']?.authorization).toBe(`Basic ${btoa('shop:from-the-url')}`)
      for (const headers of Object.values(by)) {
        expect(Object.keys(headers ?? {}).filter((name) => name.includes('signature'))).toEqual([])
      }
    })

    test('S4.7 S4.16 timeout and breaker are those of the file, and the retry policy is the config’s: attempts, first wait, doubling, no jitter, pyfly’s statuses', async () => {
      await publish('acme', 'failing', '1')
      const endpoints = (await server.call('GET', '/v1/endpoints?limit=100&tenant=acme')).json.items
      const { id: endpointId, retry_policy } = endpoints.find(({ url }: { url: string }) =>
        url.endsWith('/status/503'),
      )
      expect(retry_policy).toMatchObject({
        max_attempts: 3,
        base: '30ms',
        factor: 2,
        cap: '5m',
        jitter: 'none',
      })
      const given = async () =>
        (await server.call('GET', `/v1/dlq?tenant=acme&endpoint_id=${endpointId}`)).json.items
      await expect
        .poll(given, { timeout: patienceMs })
        .toMatchObject([{ attempt_count: 3, final_error: 'http_503' }])
      // What a config does not say is pyfly's default.
      const ofNone = (await server.call('GET', '/v1/endpoints?limit=100')).json.items
      for (const one of ofNone)
        expect(one).toMatchObject({ retry_policy: 'pyfly', signing_schemes: ['none'] })
      expect(ofNone).toHaveLength(3)
      const orders = endpoints.find(({ url }: { url: string }) => url.endsWith('/acme/orders'))
      expect(orders).toMatchObject({
        retry_policy: 'pyfly',
        timeout: '10s',
        breaker_threshold: 5,
        breaker_pause: '30s',
      })
    })
  })
}
