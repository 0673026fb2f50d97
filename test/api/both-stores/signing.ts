/** Signing schemes and secrets of endpoints, as a receiver and an owner see them. */
import { createHmac, createPublicKey, verify as verifyEd25519 } from 'node:crypto'
import { expect, test } from 'vitest'
import type { ReceivedRequest } from '../../../src/testing/received-request.ts'
import { createVerifier, NoMatchError, publicKeysAt, verify } from '../../../src/verify/index.ts'
import { expectProblem } from '../expect-problem.ts'
import { aName } from './scene.ts'
import type { SendingScene } from './sending-scene.ts'

type Headers = ReceivedRequest['headers']

const hmac = (secret: string, encoding: 'hex' | 'base64', ...parts: readonly (string | Uint8Array)[]) => {
  const mac = createHmac('sha256', secret)
  for (const part of parts) mac.update(part)
  return mac.digest(encoding)
}

const acme = {
  type: 'hmac',
  header: 'X-Acme-Signature',
  prefix: 'v2:',
  encoding: 'base64',
  message: '{id}\n{timestamp}\n{body}\nend',
  headers: { 'x-acme-time': '{timestamp}' },
}
const acmeOfSeveral = { type: 'hmac', header: 'x-several', prefix: 'a=', next: ' a=' }

interface Form {
  readonly scheme: unknown
  readonly header: string
  /** What a receiver computes that holds one secret. */
  readonly expected: (secret: string, headers: Headers, body: Uint8Array) => string
  /** All secrets that sign stand in the header. */
  readonly several?: true
}

const forms: readonly (readonly [string, Form])[] = [
  [
    'github',
    {
      scheme: 'github',
      header: 'x-hub-signature-256',
      expected: (secret, _headers, body) => `sha256=${hmac(secret, 'hex', body)}`,
    },
  ],
  [
    'pyfly',
    {
      scheme: 'pyfly',
      header: 'x-pyfly-signature',
      expected: (secret, _headers, body) => `sha256=${hmac(secret, 'hex', body)}`,
    },
  ],
  [
    'shopify',
    {
      scheme: 'shopify',
      header: 'x-shopify-hmac-sha256',
      expected: (secret, _headers, body) => hmac(secret, 'base64', body),
    },
  ],
  [
    'slack',
    {
      scheme: 'slack',
      header: 'x-slack-signature',
      expected: (secret, headers, body) =>
        `v0=${hmac(secret, 'hex', `v0:${headers['x-slack-request-timestamp']}:`, body)}`,
    },
  ],
  [
    'stripe',
    {
      scheme: 'stripe',
      header: 'stripe-signature',
      expected: (secret, headers, body) => {
        const [, time] = /^t=(\d+),/.exec(headers['stripe-signature'] ?? '') ?? []
        return `v1=${hmac(secret, 'hex', `${time}.`, body)}`
      },
      several: true,
    },
  ],
  [
    'an hmac of the owner’s own',
    {
      scheme: acme,
      header: 'x-acme-signature',
      expected: (secret, headers, body) =>
        `v2:${hmac(secret, 'base64', `${headers['outhook-event-id']}\n${headers['x-acme-time']}\n`, body, '\nend')}`,
    },
  ],
  [
    'an hmac with room for several signatures',
    {
      scheme: acmeOfSeveral,
      header: 'x-several',
      expected: (secret, _headers, body) => `a=${hmac(secret, 'hex', body)}`,
      several: true,
    },
  ],
]

export function describeSigning(scene: SendingScene): void {
  test.each(forms)(
    'F8 G8 %s: receivers of its secret take it; while it is rotated the old secret signs where there is room for one, until the owner says otherwise',
    async (_, form) => {
      const sent = await scene.deliver(
        `${scene.receiver.url}/signed`,
        { signing_schemes: [form.scheme] },
        '{"b":1.0,"a":"é"}',
      )
      const path = `/v1/endpoints/${sent.endpoint.id}`
      const signedBy = async (deliveryId: string, secret: string) => {
        const [request] = await scene.arrived(deliveryId)
        const { headers, body } = request!
        const value = headers[form.header] ?? ''
        const expected = form.expected(secret, headers, body)
        return form.several === true ? value.split(/[, ]/).includes(expected) : value === expected
      }
      const publish = async () => {
        const body = { topic: sent.topic, payload: { n: 1 } }
        return (await scene.server.call('POST', '/v1/events', { body })).json.delivery_ids[0] as string
      }
      const old = sent.endpoint.secret
      expect(await signedBy(sent.id, old)).toBe(true)

      const { secret: next } = (await scene.server.call('POST', `${path}/rotate-secret`)).json
      const during = await publish()
      expect([await signedBy(during, old), await signedBy(during, next)]).toEqual([
        true,
        form.several ?? false,
      ])

      const { items } = (await scene.server.call('GET', `${path}/secrets`)).json
      expect((await scene.server.call('POST', `${path}/secrets/${items[0].id}/primary`)).status).toBe(200)
      const flipped = await publish()
      expect([await signedBy(flipped, old), await signedBy(flipped, next)]).toEqual([
        form.several ?? false,
        true,
      ])

      await scene.server.call('POST', `${path}/rotate-secret`, { body: { grace: 0, secret: old } })
      expect(await signedBy(await publish(), old)).toBe(true)
    },
  )

  test('S4.4 F1 pyfly: the body that arrives is the canonical form of the payload, and so verifies both ways; schemes beside it sign that body too', async () => {
    const payload = '{ "z": 1.0, "a": "José 😀", "big": 12345678901234567890123 }'
    const { id, eventId, endpoint } = await scene.deliver(
      `${scene.receiver.url}/canonical`,
      { signing_schemes: ['pyfly', 'standard'] },
      payload,
    )
    const [request] = await scene.arrived(id)
    const { headers, body } = request!
    const canonical = '{"a":"Jos\\u00e9 \\ud83d\\ude00","big":12345678901234567890123,"z":1.0}'
    expect(Buffer.from(body).toString()).toBe(canonical)
    expect(headers['x-pyfly-signature']).toBe(`sha256=${hmac(endpoint.secret, 'hex', canonical)}`)
    const given = { secrets: endpoint.secret }
    await verify({ headers, body }, { ...given, scheme: 'pyfly' })
    // Whoever parses the body and writes it in the canonical form again, as pyfly's sender did, finds the same.
    await verify({ headers, body: payload }, { ...given, scheme: 'pyfly' })
    await verify({ headers, body }, given)
    const kept = await scene.server.call('GET', `/v1/events/${eventId}/payload`)
    expect(kept.text).toBe(payload)
  })

  test('an ed25519 secret is made where it is asked for, its public key is served, and a receiver verifies with that alone', async () => {
    const { id, endpoint } = await scene.deliver(`${scene.receiver.url}/ed25519`, { key_type: 'ed25519' })
    const { secret, public_key: publicKey } = endpoint as typeof endpoint & { public_key: string }
    expect([secret, publicKey]).toEqual([expect.stringMatching(/^whsk_/), expect.stringMatching(/^whpk_/)])
    const { items } = (await scene.server.call('GET', `/v1/endpoints/${endpoint.id}/secrets`)).json
    expect(items).toMatchObject([{ key_type: 'ed25519', public_key: publicKey, primary: true }])
    const [request] = await scene.arrived(id)
    const { headers, body } = request!
    const x = Buffer.from(publicKey.slice(5), 'base64').toString('base64url')
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    const message = Buffer.concat([
      Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`),
      body,
    ])
    const signature = Buffer.from(headers['webhook-signature']?.slice('v1a,'.length) ?? '', 'base64')
    expect(verifyEd25519(null, message, key, signature)).toBe(true)
    await verify({ headers, body }, { secrets: publicKey })
    // Beside an HMAC while it is exchanged for one.
    const rotated = await scene.server.call('POST', `/v1/endpoints/${endpoint.id}/rotate-secret`, {
      body: { key_type: 'hmac' },
    })
    expect(rotated.json).toMatchObject({ secret: expect.stringMatching(/^whsec_/), public_key: null })
  })

  test('a receiver without a token fetches the public keys from the server, verifies with them, and follows a rotation with and without overlap', async () => {
    const path = `${scene.receiver.url}/served-keys`
    const { id, endpoint, topic } = await scene.deliver(path, { key_type: 'ed25519' })
    const url = `/v1/endpoints/${endpoint.id}/public-keys`
    const keys = async () => (await scene.server.call('GET', url, { token: null })).json.keys
    const verifier = createVerifier({ secrets: publicKeysAt(scene.server.url + url) })
    const arrived = async (deliveryId: string) => (await scene.arrived(deliveryId))[0]!
    const publish = async () => {
      const { json } = await scene.server.call('POST', '/v1/events', { body: { topic, payload: { n: 1 } } })
      return arrived(json.delivery_ids[0])
    }
    const rotate = async (body: object) =>
      (await scene.server.call('POST', `/v1/endpoints/${endpoint.id}/rotate-secret`, { body })).json

    const before = await arrived(id)
    expect((await verifier.verify(before)).json()).toEqual({ id: 1 })
    const [old] = await keys()
    expect(await keys()).toEqual([
      {
        kty: 'OKP',
        crv: 'Ed25519',
        alg: 'EdDSA',
        use: 'sig',
        kid: expect.stringMatching(/^sec_/),
        x: Buffer.from(old.public_key.slice(5), 'base64').toString('base64url'),
        public_key: (endpoint as typeof endpoint & { public_key: string }).public_key,
        expires_at: null,
      },
    ])

    // Both sign until the grace ends, so whoever knows the old one alone goes on.
    const next = await rotate({ key_type: 'ed25519', grace: '1h' })
    const during = await publish()
    await verifier.verify(during)
    const [newest, replaced] = await keys()
    expect([newest.public_key, replaced]).toEqual([
      next.public_key,
      { ...old, expires_at: expect.any(String) },
    ])
    for (const secrets of [newest.public_key, old.public_key]) await verify(during, { secrets })

    // At once, so the old one is of no use, and the receiver has to ask again.
    const last = await rotate({ key_type: 'ed25519', grace: 0 })
    const after = await publish()
    expect(await keys()).toMatchObject([{ public_key: last.public_key, expires_at: null }])
    await expect(verify(after, { secrets: old.public_key })).rejects.toBeInstanceOf(NoMatchError)
    let seconds = 0
    const now = () => Math.floor(Date.now() / 1000) + seconds
    const following = createVerifier({ secrets: publicKeysAt(scene.server.url + url, { now }) })
    await following.verify(after)
    const { public_key: final } = await rotate({ key_type: 'ed25519', grace: 0 })
    seconds = 10
    const renewed = await publish()
    expect((await following.verify(renewed)).id).toBe(renewed.headers['webhook-id'])
    await verify(renewed, { secrets: final })
  })

  test('public keys may be kept for a minute, and say nothing of endpoints that have none', async () => {
    const { endpoint } = await scene.deliver(`${scene.receiver.url}/no-keys`)
    const uid = aName('keys-of')
    await scene.server.call('POST', '/v1/tenants', { body: { uid } })
    const body = { url: `${scene.receiver.url}/keys`, key_type: 'ed25519' }
    const other = (await scene.server.call('POST', `/v1/endpoints?tenant=${uid}`, { body })).json
    const ask = (id: string) => scene.server.call('GET', `/v1/endpoints/${id}/public-keys`, { token: null })
    const served = await ask(other.id)
    expect([served.json.keys[0].public_key, served.headers.get('cache-control')]).toEqual([
      other.public_key,
      'public, max-age=60',
    ])
    expect(served.text).not.toContain(other.secret.slice(5))
    await scene.server.call('DELETE', `/v1/endpoints/${other.id}?tenant=${uid}`)
    const answers = []
    for (const id of [endpoint.id, other.id, 'ep_01h455vb4pex5vsknk084sn02q']) {
      const answer = await ask(id)
      expectProblem(answer, { status: 404, title: 'public keys not found' })
      expect(answer.headers.get('cache-control')).toBe('no-store')
      answers.push(answer.text)
    }
    expect(new Set(answers).size).toBe(1)
    expect((await ask('nonsense')).status).toBe(404)
  })

  test('secrets are listed without their values, and shown to whoever may see them, which is kept', async () => {
    const { endpoint } = await scene.deliver(`${scene.receiver.url}/listed`)
    const path = `/v1/endpoints/${endpoint.id}/secrets`
    const list = async () => (await scene.server.call('GET', path)).json.items
    const [only] = await list()
    expect(only).toEqual({
      id: expect.stringMatching(/^sec_/),
      key_type: 'hmac',
      public_key: null,
      primary: true,
      created_at: expect.any(String),
      expires_at: null,
      reveals: 0,
      revealed_at: null,
      revealed_by: null,
    })
    const admin = (
      await scene.server.call('POST', '/v1/admin-tokens', { body: { role: 'admin', label: 'who' } })
    ).json
    const shown = await scene.server.call('POST', `${path}/${only.id}/reveal`, { token: admin.token })
    expect([shown.json, shown.headers.get('cache-control')]).toEqual([
      { id: only.id, secret: endpoint.secret },
      'no-store',
    ])
    await scene.server.call('POST', `${path}/${only.id}/reveal`, { token: admin.token })
    expect(await list()).toMatchObject([
      { reveals: 2, revealed_at: expect.any(String), revealed_by: admin.id },
    ])
    const operator = (
      await scene.server.call('POST', '/v1/admin-tokens', { body: { role: 'operator', label: 'no' } })
    ).json
    expect(
      (await scene.server.call('POST', `${path}/${only.id}/reveal`, { token: operator.token })).status,
    ).toBe(403)
    expect(await list()).toMatchObject([{ reveals: 2 }])
  })

  test('a secret of another endpoint, or one that no longer signs, is not found', async () => {
    const one = await scene.deliver(`${scene.receiver.url}/one`)
    const other = await scene.deliver(`${scene.receiver.url}/other`)
    const [secret] = (await scene.server.call('GET', `/v1/endpoints/${other.endpoint.id}/secrets`)).json.items
    const [ended] = (await scene.server.call('GET', `/v1/endpoints/${one.endpoint.id}/secrets`)).json.items
    await scene.server.call('POST', `/v1/endpoints/${one.endpoint.id}/rotate-secret`, { body: { grace: 0 } })
    for (const id of [secret.id, ended.id]) {
      for (const action of ['primary', 'reveal']) {
        const answer = await scene.server.call(
          'POST',
          `/v1/endpoints/${one.endpoint.id}/secrets/${id}/${action}`,
        )
        expectProblem(answer, { status: 404, title: 'secret not found' })
      }
    }
  })

  test('ten secrets sign at most; an eleventh is refused unless it ends the others', async () => {
    const { endpoint } = await scene.deliver(`${scene.receiver.url}/ten`)
    const path = `/v1/endpoints/${endpoint.id}`
    const rotate = (grace: number | string) =>
      scene.server.call('POST', `${path}/rotate-secret`, { body: { grace } })
    for (let active = 2; active <= 10; active++) expect((await rotate('7d')).status).toBe(200)
    const secrets = async () => (await scene.server.call('GET', `${path}/secrets`)).json.items
    expect(await secrets()).toHaveLength(10)
    expectProblem(await rotate('1s'), { status: 409, title: 'conflict' })
    expect(await secrets()).toHaveLength(10)
    expect((await rotate(0)).status).toBe(200)
    expect(await secrets()).toHaveLength(1)
    expectProblem(await rotate('8d'), { status: 422, title: 'unprocessable' })
  })

  test('a secret of another system, as text, is taken where no scheme needs the standard’s form, and keeps that scheme away', async () => {
    const settings = { signing_schemes: ['pyfly'], secret: 'mysecret' }
    const { id, endpoint } = await scene.deliver(`${scene.receiver.url}/text`, settings, '{"order_id":99}')
    const [request] = await scene.arrived(id)
    // The first vector of pyfly.
    expect(request?.headers['x-pyfly-signature']).toBe(
      'sha256=03010e58206f219569b7d27b0d294c2edb8e255a13bfcff8dc3f430f2d2800d7',
    )
    const path = `/v1/endpoints/${endpoint.id}`
    const change = (signing_schemes: unknown) =>
      scene.server.call('PATCH', path, { body: { signing_schemes } })
    const refused = await change(['standard'])
    expectProblem(refused, { status: 422, title: 'unprocessable' })
    expect(refused.text).not.toContain('mysecret')
    expect((await change(['github'])).json.signing_schemes).toEqual(['github'])
    await scene.server.call('POST', `${path}/rotate-secret`, { body: { grace: 0 } })
    expect((await change(['standard', 'github'])).status).toBe(200)
  })
}
