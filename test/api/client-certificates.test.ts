/** A real TLS server that demands a client certificate, under an authority of the test's own. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ExpiringCertificate } from '../../src/delivery/certificate-watch.ts'
import { patienceMs } from '../patience.ts'
import { aServer, type TestServer } from './a-server.ts'
import { aName } from './both-stores/scene.ts'
import { loopback } from './both-stores/sending-scene.ts'

const directory = mkdtempSync(join(tmpdir(), 'outhook-certificates-'))
const file = (name: string) => join(directory, name)
const read = (name: string) => readFileSync(file(name), 'utf8')
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })

/** Under the authority, with a key of its own: `<name>.pem` and `<name>.key`. */
function certify(name: string, days: number): void {
  writeFileSync(file('names.cnf'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
  openssl(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
  )
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    String(days),
    '-extfile',
    'names.cnf',
    '-out',
    `${name}.pem`,
  )
}

interface Arrived {
  readonly path: string
  /** Common name of what the client showed. */
  readonly peer: string | undefined
  readonly authorization: string | undefined
  readonly socket: unknown
}

let receiver: Server
let url: string
let api: TestServer
const arrived: Arrived[] = []
const expiring: ExpiringCertificate[] = []
const closing: (() => Promise<void>)[] = []

beforeAll(async () => {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '365',
    '-subj',
    '/CN=authority',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  )
  for (const [name, days] of [
    ['receiver', 365],
    ['first', 365],
    ['second', 365],
    ['soon', 6],
  ] as const)
    certify(name, days)
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '365',
    '-subj',
    '/CN=stranger',
    '-keyout',
    'stranger.key',
    '-out',
    'stranger.pem',
  )
  const tls = { key: read('receiver.key'), cert: read('receiver.pem'), ca: read('ca.pem') }
  receiver = createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    const { socket, url: path = '' } = request
    const { authorization } = request.headers
    const peer = (socket as TLSSocket).getPeerCertificate().subject?.CN as string
    arrived.push({ path, peer, authorization, socket })
    response.writeHead(204).end()
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  url = `https://127.0.0.1:${(receiver.address() as AddressInfo).port}`
  api = await aServer({ dispatch: true, config: loopback, closeWith: (close) => void closing.push(close) })
  api.engine.activity.on('certificateExpiring', (each) => void expiring.push(each))
})
afterAll(async () => {
  for (const close of closing) await close()
  receiver?.closeAllConnections()
  receiver?.close()
  rmSync(directory, { recursive: true, force: true })
})

const pairOf = (name: string) => ({ certificate: read(`${name}.pem`), private_key: read(`${name}.key`) })
const make = async (given: object) => {
  const body = { name: aName('certificate'), kind: 'client_certificate', ...given }
  const made = await api.call('POST', '/v1/credentials', { body })
  expect([made.text, made.status]).toEqual([made.text, 201])
  return made.json
}
const policy = { max_attempts: 1, base: '1s', factor: 1, cap: '1s', jitter: 'none', retry_on: ['5xx'] }
const deliver = async (path: string, credential_id: string | null, settings: object = {}) => {
  const topic = aName('certificate')
  const body = { url: url + path, topics: [topic], credential_id, retry_policy: policy, ...settings }
  const made = await api.call('POST', '/v1/endpoints', { body })
  expect([made.text, made.status]).toEqual([made.text, 201])
  const publish = async (): Promise<string> =>
    (await api.call('POST', '/v1/events', { body: { topic, payload: 1 } })).json.delivery_ids[0]
  return { endpoint: made.json, publish, id: await publish() }
}
const ended = async (id: string) => {
  const shown = async () => (await api.call('GET', `/v1/deliveries/${id}`)).json
  const isOver = async () => /succeeded|dead_lettered/.test((await shown()).state)
  await expect.poll(isOver, { timeout: patienceMs, interval: 10 }).toBe(true)
  return shown()
}
const to = (path: string) => arrived.filter((one) => one.path === path)

test('a receiver that demands a client certificate gets that of the credential; its own is of an authority that only the credential trusts', async () => {
  const { id, ...shown } = await make({ ...pairOf('first'), ca: read('ca.pem') })
  expect(shown).toMatchObject({
    kind: 'client_certificate',
    subject: 'CN=first',
    issuer: 'CN=authority',
    fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    not_after: expect.any(String),
    secret_hint: null,
  })
  expect(JSON.stringify(shown)).not.toContain('PRIVATE KEY')
  const delivery = await deliver('/first', id)
  expect(await ended(delivery.id)).toMatchObject({ state: 'succeeded' })
  expect(to('/first')).toMatchObject([{ peer: 'first' }])
})

test('connections of one certificate are not used for another; one that is replaced counts from the next request on', async () => {
  const ca = read('ca.pem')
  const [first, second] = [await make({ ...pairOf('first'), ca }), await make({ ...pairOf('second'), ca })]
  const delivery = await deliver('/shared', first.id)
  await ended(delivery.id)
  await ended((await deliver('/shared', second.id)).id)
  const change = await api.call('PATCH', `/v1/credentials/${first.id}`, { body: pairOf('second') })
  expect([change.status, change.json.subject]).toEqual([200, 'CN=second'])
  await ended(await delivery.publish())
  expect(to('/shared').map(({ peer }) => peer)).toEqual(['first', 'second', 'second'])
  expect(new Set(to('/shared').map(({ socket }) => socket)).size).toBe(3)
})

test.each([
  ['no credential', null, /certificate/],
  ['a certificate of nobody that the receiver knows', 'stranger', /./],
])(
  'with %s nothing arrives, and the failure is one of TLS or of the connection',
  async (_what, name, error) => {
    const ca = read('ca.pem')
    const credential = name === null ? await make({ kind: 'none', ca }) : await make({ ...pairOf(name), ca })
    const path = `/${aName('refused')}`
    const failed = await ended((await deliver(path, credential.id)).id)
    expect(failed).toMatchObject({
      state: 'dead_lettered',
      error_class: expect.stringMatching(/^(tls|connection)$/),
    })
    expect(failed.last_error).toMatch(name === null ? /./ : error)
    expect(to(path)).toEqual([])
  },
)

describe('a certificate and a header together', () => {
  const token = 'a-token-beside-a-certificate'
  /** Each is replaced by itself, and names what it trusts by itself. */
  const aPair = async (ca: 'of the certificate' | 'of the header' = 'of the certificate') => {
    const trust = { ca: read('ca.pem') }
    const [ofCertificate, ofHeader] = ca === 'of the certificate' ? [trust, {}] : [{}, trust]
    const certificate = await make({ ...pairOf('first'), ...ofCertificate })
    const header = await make({ kind: 'bearer', token, ...ofHeader })
    return { certificate, header, client_certificate_id: certificate.id as string }
  }
  const both = { peer: 'first', authorization: `Bearer ${token}` }

  test.each(['of the certificate', 'of the header'] as const)(
    'a receiver that wants both gets both, with the authority %s',
    async (ca) => {
      const { header, client_certificate_id } = await aPair(ca)
      const path = `/${aName('both')}`
      const { id, endpoint, publish } = await deliver(path, header.id, { client_certificate_id })
      expect(endpoint).toMatchObject({ credential_id: header.id, client_certificate_id })
      expect(await ended(id)).toMatchObject({ state: 'succeeded' })
      expect(await ended(await publish())).toMatchObject({ state: 'succeeded' })
      const tested = await api.call('POST', `/v1/endpoints/${endpoint.id}/test`, { body: {} })
      expect(tested.json).toMatchObject({ succeeded: true })
      expect(to(path)).toMatchObject([both, both, both])
      const [first, second] = to(path)
      expect(second?.socket, 'they share a connection').toBe(first?.socket)
    },
  )

  test('a direct send names both, or has them of its endpoint', async () => {
    const { header, client_certificate_id } = await aPair()
    const path = `/${aName('both')}`
    const { id, endpoint } = await deliver(path, header.id, { client_certificate_id })
    await ended(id)
    for (const place of [
      { url: url + path, credential_id: header.id, client_certificate_id },
      { endpoint_id: endpoint.id },
    ]) {
      const sent = await api.call('POST', '/v1/deliveries', { body: { ...place, payload: 1 } })
      expect([sent.text, sent.status]).toEqual([sent.text, 202])
      expect(await ended(sent.json.id)).toMatchObject({ state: 'succeeded' })
    }
    expect(to(path)).toMatchObject([both, both, both])
  })

  test('each is replaced by itself, and counts from the next request on', async () => {
    const { certificate, header, client_certificate_id } = await aPair()
    const path = `/${aName('both')}`
    const { id, publish } = await deliver(path, header.id, { client_certificate_id })
    await ended(id)
    await api.call('PATCH', `/v1/credentials/${header.id}`, { body: { token: 'the-next-token' } })
    await ended(await publish())
    await api.call('PATCH', `/v1/credentials/${certificate.id}`, { body: pairOf('second') })
    await ended(await publish())
    expect(to(path).map(({ peer, authorization }) => [peer, authorization])).toEqual([
      ['first', `Bearer ${token}`],
      ['first', 'Bearer the-next-token'],
      ['second', 'Bearer the-next-token'],
    ])
  })

  test.each(['certificate', 'header'] as const)('without the %s no request is made', async (which) => {
    const { client_certificate_id, ...pair } = await aPair()
    const path = `/${aName('half')}`
    await api.call('PATCH', `/v1/credentials/${pair[which].id}`, { body: { active: false } })
    const { id } = await deliver(path, pair.header.id, { client_certificate_id })
    const shown = async () => (await api.call('GET', `/v1/deliveries/${id}`)).json
    await expect
      .poll(async () => (await shown()).last_error, { timeout: patienceMs })
      .toMatch(new RegExp(`no request was made: the credential .*${pair[which].id}.* is switched off`))
    expect(await shown()).toMatchObject({ error_class: 'internal', attempt_count: 0 })
    expect(to(path)).toEqual([])
    expect((await api.call('POST', `/v1/deliveries/${id}/cancel`, { body: {} })).status).toBe(200)
  })

  test('a pair that does not go together is refused, as is the deletion of a certificate that is in use', async () => {
    const { header, certificate, client_certificate_id } = await aPair()
    const post = (body: object) => api.call('POST', '/v1/endpoints', { body: { url, ...body } })
    const { id } = (await post({ client_certificate_id })).json
    const refusals = [
      [await post({ client_certificate_id: header.id }), /is of the kind bearer, and no client certificate/],
      [await post({ client_certificate_id, credential_id: certificate.id }), /are both client certificates/],
      [
        await post({ client_certificate_id: 'crd_01h455vb4pex5vsknk084sn02q' }),
        /which the tenant does not have/,
      ],
      [
        await api.call('PATCH', `/v1/endpoints/${id}`, { body: { credential_id: certificate.id } }),
        /are both client certificates/,
      ],
      [
        await api.call('POST', '/v1/deliveries', { body: { url, client_certificate_id: header.id } }),
        /is of the kind bearer, and no client certificate/,
      ],
    ] as const
    for (const [{ status, json }, detail] of refusals) {
      expect([status, json.detail]).toEqual([422, expect.stringMatching(detail)])
    }
    const inUse = await api.call('DELETE', `/v1/credentials/${certificate.id}`)
    expect([inUse.status, inUse.json.detail]).toEqual([409, expect.stringContaining(id)])
    const freed = await api.call('PATCH', `/v1/endpoints/${id}`, { body: { client_certificate_id: null } })
    expect(freed.json.client_certificate_id).toBeNull()
    expect((await api.call('DELETE', `/v1/credentials/${certificate.id}`)).status).toBe(204)
  })
})

test('an authority that is not named is not trusted', async () => {
  const { id } = await make(pairOf('first'))
  const failed = await ended((await deliver('/untrusted', id)).id)
  expect(failed).toMatchObject({ state: 'dead_lettered', error_class: 'tls' })
})

test('a certificate that runs out within a week is told once: as an event and as a metric', async () => {
  const { id, name, not_after } = await make({ ...pairOf('soon'), ca: read('ca.pem') })
  const delivery = await deliver('/soon', id)
  await ended(delivery.id)
  await ended(await delivery.publish())
  expect(expiring).toEqual([
    {
      tenantId: expect.stringMatching(/^ten_/),
      credentialId: id,
      name,
      expiresAt: Date.parse(not_after),
      withinDays: 7,
      part: 'certificate',
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
  ])
  const { text } = await api.call('GET', '/metrics')
  expect(text).toContain('outhook_certificates_expiring_total{within="7d"} 1')
})

test.each([
  ['a certificate without its key', () => ({ certificate: read('first.pem') }), 'private_key'],
  [
    'a key of another certificate',
    () => ({ ...pairOf('first'), private_key: read('second.key') }),
    'is not the key',
  ],
  ['what is no certificate', () => ({ ...pairOf('first'), certificate: 'hello' }), 'certificate'],
  [
    'what is no key',
    () => ({ ...pairOf('first'), private_key: '-----BEGIN nothing' }),
    'private_key must be a private key',
  ],
  [
    'an authority that is none',
    () => ({ ...pairOf('first'), ca: '-----BEGIN nothing' }),
    'ca must be certificates',
  ],
])('refuses %s', async (_what, given, detail) => {
  const body = { name: aName('refused'), kind: 'client_certificate', ...given() }
  const { status, json } = await api.call('POST', '/v1/credentials', { body })
  expect([status === 400 ? 422 : status, json.detail]).toEqual([422, expect.stringContaining(detail)])
  expect(json.detail).not.toContain(read('first.key').slice(40, 80))
})
