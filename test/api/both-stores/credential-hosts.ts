/** Where a credential may be sent, with a server on a store of any kind. Names below `localhost` need no name server. */
import { describe, expect, test } from 'vitest'
import { patienceMs } from '../../patience.ts'
import { expectProblem } from '../expect-problem.ts'
import { aName } from './scene.ts'
import type { SendingScene } from './sending-scene.ts'

const rows: readonly {
  readonly hosts: readonly string[] | null
  readonly host: string
  readonly passes: boolean
}[] = [
  { hosts: null, host: 'anything.localhost', passes: true },
  { hosts: ['partner.localhost'], host: 'partner.localhost', passes: true },
  { hosts: ['partner.localhost'], host: 'PARTNER.localhost', passes: true },
  { hosts: ['  Partner.LOCALHOST. '], host: 'partner.localhost', passes: true },
  { hosts: ['partner.localhost'], host: 'partner.localhost.', passes: true },
  { hosts: ['partner.localhost'], host: 'a.b.partner.localhost', passes: true },
  { hosts: ['bücher.localhost'], host: 'xn--bcher-kva.localhost', passes: true },
  { hosts: ['other.test', '127.0.0.1'], host: '0x7f.1', passes: true },
  { hosts: ['partner.localhost'], host: 'evilpartner.localhost', passes: false },
  { hosts: ['partner.localhost'], host: 'partner.localhost.evil.localhost', passes: false },
  { hosts: ['partner.localhost'], host: 'localhost', passes: false },
  { hosts: ['partner.localhost'], host: '127.0.0.1', passes: false },
  { hosts: ['a.partner.localhost'], host: 'partner.localhost', passes: false },
  { hosts: ['127.0.0.1'], host: '127.0.0.2', passes: false },
]

const token = 'a-token-of-the-partner-0123456789'
const foreign = {
  status: 422,
  code: 'unprocessable',
  detail:
    /^the credential "host-credential-\d+" \(crd_\w+\) may not be sent to [\w.]+, which is none of its authorized hosts/,
} as const
const quickly = { max_attempts: 2, base: '30ms', factor: 1, cap: '30ms', jitter: 'none' }

export function describeCredentialHosts(scene: SendingScene): void {
  const call = (method: string, path: string, body?: object) => scene.server.call(method, path, { body })
  const aCredential = async (authorized_hosts: readonly string[] | null, given: object = {}) => {
    const body = { name: aName('host-credential'), kind: 'bearer', token, authorized_hosts, ...given }
    const made = await call('POST', '/v1/credentials', body)
    expect([made.text, made.status]).toEqual([made.text, 201])
    return made.json
  }
  const setHosts = async (id: string, authorized_hosts: readonly string[] | null) => {
    const { status, json } = await call('PATCH', `/v1/credentials/${id}`, { authorized_hosts })
    expect([status, json.authorized_hosts]).toEqual([200, authorized_hosts])
  }
  const urlAt = (host: string, path = '/hook') => `http://${host}:${new URL(scene.receiver.url).port}${path}`

  describe('authorized hosts of a credential', () => {
    test.each(rows)('with $hosts one may be sent to $host: $passes', async ({ hosts, host, passes }) => {
      const { id } = await aCredential(hosts)
      const url = urlAt(host)
      const plain = (await call('POST', '/v1/endpoints', { url })).json
      const answers = [
        await call('POST', '/v1/endpoints', { url, credential_id: id }),
        await call('PATCH', `/v1/endpoints/${plain.id}`, { credential_id: id }),
        await call('POST', '/v1/deliveries', { url, credential_id: id, delay: '1h' }),
      ]
      for (const answer of answers) {
        if (passes) expect([answer.text, answer.status < 300]).toEqual([answer.text, true])
        else expectProblem(answer, foreign)
      }
    })

    test('they are shown, null where there are none, and stay when something else is changed', async () => {
      const made = await aCredential([' Partner.localhost', 'partner.localhost', '[::1]'])
      expect(made.authorized_hosts).toEqual(['partner.localhost', '::1'])
      const changed = await call('PATCH', `/v1/credentials/${made.id}`, { token: 'another-token-0123456789' })
      expect(changed.json.authorized_hosts).toEqual(made.authorized_hosts)
      await setHosts(made.id, null)
      expect((await aCredential(null, { authorized_hosts: undefined })).authorized_hosts).toBeNull()
    })

    test.each([
      [[]],
      [['a/b']],
      [['*.partner.localhost']],
      [['']],
      ['partner.localhost'],
      [[7]],
      [Array(101).fill('a.test')],
    ])('no such list is taken: %o', async (authorized_hosts) => {
      const body = { name: aName('host-credential'), kind: 'bearer', token, authorized_hosts }
      const { status, json } = await call('POST', '/v1/credentials', body)
      expect([status === 400 ? 422 : status, json.detail]).toEqual([
        422,
        expect.stringContaining('authorized_hosts'),
      ])
    })

    test('they hold for a URL that is changed, and for an upsert; without the credential any URL is taken', async () => {
      const { id } = await aCredential(['partner.localhost'])
      const uid = aName('host-endpoint')
      const body = { uid, url: urlAt('partner.localhost'), credential_id: id }
      const made = (await call('POST', '/v1/endpoints', body)).json
      const url = urlAt('evil.localhost')
      expectProblem(await call('PATCH', `/v1/endpoints/${made.id}`, { url }), foreign)
      expectProblem(await call('POST', '/v1/endpoints', { uid, url }), foreign)
      expect((await call('GET', `/v1/endpoints/${made.id}`)).json.url).toBe(body.url)
      const freed = await call('PATCH', `/v1/endpoints/${made.id}`, { url, credential_id: null })
      expect(freed.json).toMatchObject({ url, credential_id: null })
    })

    test('they hold at each attempt: the failure is visible, no request is made, and it goes once the host is added', async () => {
      const { id } = await aCredential(['127.0.0.1'])
      const sent = await scene.deliver(`${scene.receiver.url}/hosts`, {
        credential_id: id,
        retry_policy: quickly,
      })
      expect((await scene.arrived(sent.id))[0]?.headers.authorization).toBe(`Bearer ${token}`)
      await setHosts(id, ['partner.localhost'])
      const event = await call('POST', '/v1/events', { topic: sent.topic, payload: 2 })
      const [delivery] = event.json.delivery_ids
      // More often than the policy has attempts.
      await scene.attempted(delivery, 3)
      expect(await scene.shown(delivery)).toMatchObject({
        state: expect.not.stringMatching(/dead_lettered|succeeded/),
        attempt_count: 0,
        error_class: 'internal',
        last_error: expect.stringMatching(
          /^no request was made: the credential .* may not be sent to 127\.0\.0\.1/,
        ),
      })
      expect(scene.receiver.received.filter(({ deliveryId }) => deliveryId === delivery)).toEqual([])
      const tested = await call('POST', `/v1/endpoints/${sent.endpoint.id}/test`, {})
      expect(tested.json).toMatchObject({ succeeded: false, error_class: 'internal', http_status: null })
      await setHosts(id, ['partner.localhost', '127.0.0.1'])
      expect((await scene.arrived(delivery))[0]?.headers.authorization).toBe(`Bearer ${token}`)
    })

    test('they hold for direct sends to an endpoint, with its credential and with another, and for what was accepted before', async () => {
      const [mine, other] = [await aCredential(['127.0.0.1']), await aCredential(['partner.localhost'])]
      const body = { url: `${scene.receiver.url}/hosts`, credential_id: mine.id }
      const endpoint = (await call('POST', '/v1/endpoints', body)).json
      const send = (given: object) =>
        call('POST', '/v1/deliveries', { endpoint_id: endpoint.id, payload: 1, ...given })
      expectProblem(await send({ credential_id: other.id }), foreign)
      const accepted = await send({ delay: '1s' })
      expect(accepted.status).toBe(202)
      await setHosts(mine.id, ['partner.localhost'])
      await expect
        .poll(async () => (await send({ delay: '1h' })).json.code, { timeout: patienceMs })
        .toBe('unprocessable')
      await scene.attempted(accepted.json.id)
      expect(await scene.shown(accepted.json.id)).toMatchObject({ error_class: 'internal', attempt_count: 0 })
      expect(scene.receiver.received.filter(({ deliveryId }) => deliveryId === accepted.json.id)).toEqual([])
      expect((await call('POST', `/v1/deliveries/${accepted.json.id}/cancel`, {})).status).toBe(200)
    })

    test('they do not take back the answer of an idempotency key', async () => {
      const { id } = await aCredential(['127.0.0.1'])
      const headers = { 'idempotency-key': aName('key') }
      const body = { url: `${scene.receiver.url}/hosts`, credential_id: id }
      const send = () => scene.server.call('POST', '/v1/deliveries', { body, headers })
      const first = await send()
      await scene.arrived(first.json.id)
      await setHosts(id, ['partner.localhost'])
      expect((await send()).json.id).toBe(first.json.id)
    })
  })
}
