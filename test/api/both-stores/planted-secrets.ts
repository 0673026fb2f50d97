/**
 * S3.18 A whole scenario with planted secrets, and everything that it writes is searched for them: the database, the log,
 * HTTP answers, metrics, the command line, errors with their stacks, and what `inspect` shows.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createClient } from '../../../src/client/index.ts'
import { loadConfig } from '../../../src/config/load-config.ts'
import { createLogger } from '../../../src/observability/log.ts'
import { Outhook } from '../../../src/outhook.ts'
import * as serverModule from '../../../src/server.ts'
import { runToEnd } from '../../cli/run-cli.ts'
import { patienceMs } from '../../patience.ts'

const tls = new URL('../../fixtures/tls/', import.meta.url)
const certificate = readFileSync(new URL('server.pem', tls), 'utf8')
const privateKey = readFileSync(new URL('server-key.pem', tls), 'utf8')

const planted = {
  adminToken: 'hkadm_planted0admin0token0',
  masterKey: 'deadbeef'.repeat(8),
  endpointSecret: 'whsec_cGxhbnRlZC1lbmRwb2ludC1zZWNyZXQtMDE=',
  rotatedSecret: 'whsec_cGxhbnRlZC1yb3RhdGVkLXNlY3JldC0wMg==',
  clientSecret: 'planted-client-secret/+01',
  accessToken: 'planted-access-token.0123456789',
  basicPassword: 'planted basic "password" 01',
  apiKey: 'planted-api-key-0123456789',
  privateKey: privateKey.split('\n')[1] ?? '',
  proxyPassword: 'planted:proxy/password',
  query: 'planted-query-token',
  path: 'pl4ntedPathToken0123456789abcdefABCDEF',
  discord: 'pl4ntedDiscordToken_0123456789-abcdefghijklmnopqrstuvwxyzABCDEFGHIJ',
  payload: 'planted-payload-password',
  address: 'https://planted.example/callback?code=1',
}
type Planted = keyof typeof planted

/** Nobody is ever shown them again, wherever they look. */
const never = [
  ...(['adminToken', 'masterKey', 'endpointSecret', 'rotatedSecret', 'clientSecret', 'accessToken'] as const),
  ...(['basicPassword', 'apiKey', 'privateKey', 'proxyPassword', 'discord'] as const),
]
const everything = Object.keys(planted) as Planted[]

export interface PlantedStore {
  /** As `--store` takes it. */
  readonly store: string
  /** All that stands in the store, after it was closed. */
  content(): Promise<Buffer>
}

export function describePlantedSecrets(newStore: () => PlantedStore): void {
  describe('S3.18 F8 planted secrets', () => {
    const scenario = new Scenario()
    let place: PlantedStore
    beforeAll(async () => {
      place = newStore()
      await scenario.run(place.store)
    }, patienceMs)
    afterAll(() => scenario.closeEcho())

    test('the receiver did get and repeat them', () => {
      const { signatures, lines, repeated } = scenario
      expect(signatures.size).toBeGreaterThanOrEqual(8)
      expect(lines.join()).toContain('http_500')
      for (const name of ['accessToken', 'apiKey', 'path', 'query', 'discord'] as const)
        expect([name, repeated.join('\n').includes(planted[name])]).toEqual([name, true])
      const basic = (text: string) => Buffer.from(text).toString('base64')
      expect(repeated.join('\n')).toContain(basic(`shop:${planted.basicPassword}`))
      expect(repeated.join('\n')).toContain(basic(`proxy user:${planted.proxyPassword}`))
    })

    test('the log holds none of them: the origin of a URL alone, no header, no payload, no line beyond 8000 characters', () => {
      const { lines } = scenario
      expect(scenario.found(lines.join('\n'), everything)).toEqual([])
      const attempts = lines.map((line) => JSON.parse(line)).filter(({ message }) => message === 'attempt')
      expect(attempts.length).toBeGreaterThanOrEqual(5)
      for (const attempt of attempts) {
        expect(attempt.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
        expect(attempt).toMatchObject({ error: 'HTTP 500', http_status: 500 })
      }
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(8000)
    })

    test('the store holds secrets sealed, keys as hashes, and nothing secret that a receiver repeated', async () => {
      const content = (await place.content()).toString('latin1')
      // So the search does find what is there.
      expect(scenario.found(content, ['payload'])).toEqual(['payload'])
      expect(scenario.found(content, never)).toEqual([])
    })

    test('answers show none of them but once to whoever made them, and a URL to whoever may read the endpoint', () => {
      for (const { path, text } of scenario.answers) {
        // Whoever may read a delivery may read its event; its URL stands with the endpoint.
        const isUrlShown = path.startsWith('/v1/endpoints') || path.startsWith('/v1/events')
        const hidden = isUrlShown ? never : ([...never, 'query', 'path'] as const)
        // What a receiver was sent is shown with its signature, which opens nothing else.
        const isSignatureShown = path.startsWith('/v1/deliveries/')
        const found = scenario
          .found(text, hidden)
          .filter((name) => !(isSignatureShown && name === 'signature'))
        expect([path, found]).toEqual([path, []])
      }
      const captures = scenario.answers
        .filter(({ path }) => path.startsWith('/v1/deliveries/'))
        .flatMap(({ text }) => JSON.parse(text).attempts.map((each: { response: unknown }) => each.response))
      expect(captures.length).toBeGreaterThanOrEqual(5)
      for (const response of captures) {
        const body = JSON.stringify(response)
        expect(body).toContain('[hidden]')
        expect(body).toContain('outhook-delivery-id')
      }
    })

    test('the command line prints none of them, for people, as JSON and in errors', () => {
      const { printed } = scenario
      expect(printed.length).toBeGreaterThan(20)
      for (const { args, text } of printed) {
        const isUrlShown = /^(endpoints|events) /.test(args)
        const hidden = isUrlShown ? never : ([...never, 'query', 'path'] as const)
        const isSignatureShown = args.startsWith('deliveries get ')
        const found = scenario
          .found(text, hidden)
          .filter((name) => !(isSignatureShown && name === 'signature'))
        expect([args, found]).toEqual([args, []])
      }
      expect(printed.find(({ args }) => args.startsWith('doctor'))?.text).toMatch(/problems?/)
    })

    test('migrate-store prints none of them, nor the password of a database', async () => {
      const to = `postgres://shop:${encodeURIComponent(planted.proxyPassword)}@127.0.0.1:1/hooks`
      const texts = []
      for (const masterKey of [planted.masterKey, 'ab'.repeat(32), `${planted.masterKey}!`]) {
        for (const flags of [[], ['--json']]) {
          const args = ['migrate-store', '--from', place.store, '--to', to, '--store-wait', '1ms', ...flags]
          const env = { OUTHOOK_MASTER_KEY: masterKey }
          const { code, out, err } = await runToEnd(args, { env, server: serverModule })
          expect(code).not.toBe(0)
          texts.push(out, err)
        }
      }
      expect(scenario.found(texts.join('\n'), everything)).toEqual([])
    })

    test('errors, their stacks and what inspect shows of library and client hold none of them', async () => {
      const texts: string[] = []
      const show = (value: unknown) => void texts.push(inspect(value, { depth: 12, showHidden: true }))
      const { store } = place
      const options = { store, masterKey: planted.masterKey, allowNetworks: ['127.0.0.0/8'], allowHttp: true }
      const proxied = `http://u:${encodeURIComponent(planted.proxyPassword)}@127.0.0.1:9`
      const hooks = await Outhook.open({ ...options, outboundProxy: proxied, dispatch: false })
      const tokenUrl = `https://u:${planted.query}@a.test/`
      for (const call of [
        () => hooks.endpoints.create({ url: tokenUrl, secret: planted.endpointSecret }),
        () => hooks.endpoints.create({ url: 'https://8.8.8.8/', secret: `${planted.endpointSecret}!` }),
        () => hooks.publish({ topic: 'a b', payload: { password: planted.payload } }),
        () => hooks.send({ url: `https://10.0.0.1/${planted.path}?token=${planted.query}`, payload: 1 }),
        () => hooks.credentials.create({ name: 'x y\n', kind: 'bearer', token: planted.accessToken }),
        () => hooks.credentials.create({ name: 'b', kind: 'bearer', token: `${planted.accessToken}\n` }),
        () =>
          hooks.credentials.create({ name: 'c', kind: 'client_certificate', certificate: 'x', privateKey }),
        () => hooks.credentials.list(),
      ]) {
        await call().then(show, show)
      }
      show(hooks)
      show(hooks.endpoints)
      await hooks.close()
      for (const wrong of [
        { store, masterKey: `${planted.masterKey}!` },
        { store, masterKey: 'ab'.repeat(32) },
        { store: 'memory:', outboundProxy: `ftp://u:${planted.query}@proxy.test` },
        { store: 'memory:', outboundProxy: `http://u:${planted.query}@` },
        { store: `postgres://u:${planted.query}@127.0.0.1:1/x`, storeWait: 1 },
      ]) {
        await Outhook.open({ ...wrong, dispatch: false }).then(show, show)
      }
      const client = createClient({
        url: 'http://127.0.0.1:1',
        token: planted.adminToken,
        retry: { maxRetries: 0 },
      })
      show(client)
      await client.send({ topic: 'a', payload: { password: planted.payload } }).then(show, show)
      expect(texts.length).toBeGreaterThanOrEqual(17)
      expect(scenario.found(texts.join('\n'), everything)).toEqual([])
    })
  })
}

/** A server on the store, endpoints of each kind with a credential, deliveries that fail, and everybody who looks. */
class Scenario {
  readonly lines: string[] = []
  readonly answers: { readonly path: string; readonly text: string }[] = []
  readonly printed: { readonly args: string; readonly text: string }[] = []
  readonly signatures = new Set<string>()
  /** What the receiver said. */
  readonly repeated: string[] = []
  closeEcho = async () => {}
  readonly #made = new Map<string, string>()
  #url = ''

  /** Which of them are in it, by name, also as hexadecimal digits, as PostgreSQL writes bytes. */
  found(text: string, names: readonly Planted[]): readonly string[] {
    const all = [
      ...names.map((name) => [name, planted[name]] as const),
      ...[...this.signatures].map((each) => ['signature', each] as const),
      ...this.#made,
      ['basic', Buffer.from(`shop:${planted.basicPassword}`).toString('base64')] as const,
      ['proxy', Buffer.from(`proxy user:${planted.proxyPassword}`).toString('base64')] as const,
    ]
    const isThere = (secret: string) =>
      [
        secret,
        secret.replace(/^whsec_/, ''),
        encodeURIComponent(secret),
        JSON.stringify(secret).slice(1, -1),
        Buffer.from(secret).toString('hex'),
      ].some((form) => text.includes(form))
    return [...new Set(all.filter(([, secret]) => isThere(secret)).map(([name]) => name))]
  }

  async run(store: string): Promise<void> {
    const echo = await this.#openEcho()
    const flags = {
      store,
      port: 0,
      adminToken: planted.adminToken,
      masterKey: planted.masterKey,
      allowHttp: true,
      allowNetworks: ['127.0.0.0/8'],
      outboundProxy: `${echo.replace('//', `//proxy%20user:${encodeURIComponent(planted.proxyPassword)}@`)}`,
      alertChannels: `alerts=${echo}/api/webhooks/123456789012345678/${planted.discord}`,
    }
    const log = createLogger({
      level: 'debug',
      format: 'json',
      destination: { write: (line) => void this.lines.push(line) },
    })
    const server = await serverModule.startServer(loadConfig({ flags }), { log })
    this.#url = server.url
    try {
      await this.#deliver(echo)
      await this.#readAll()
      await this.#commands()
    } finally {
      await server.close()
    }
    await this.#examine(store)
  }

  /** Says all that it was asked, in body and header, as error pages do; it is the proxy and the token server too. */
  async #openEcho(): Promise<string> {
    const tunnels: Duplex[] = []
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk) => chunks.push(chunk))
      request.on('end', () => {
        if (request.url?.endsWith('/token')) {
          const answer = { access_token: planted.accessToken, token_type: 'Bearer', expires_in: 3600 }
          response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
          return
        }
        for (const [name, value] of Object.entries(request.headers)) {
          if (!name.includes('signature')) continue
          for (const part of String(value).split(/[ ,]/)) {
            const text = part.replace(/^(v1|sha256)=/, '')
            if (text.length > 20) this.signatures.add(text)
          }
        }
        const said = JSON.stringify({ url: request.url, headers: request.headers })
        // Its own, which a receiver has.
        const isOwn = request.url?.includes(planted.path) === true
        const keys = isOwn
          ? `expected ${planted.endpointSecret} or ${planted.rotatedSecret}`
          : 'expected others'
        this.repeated.push(said)
        // Not tried again, and told in the log.
        const status = request.url?.includes('/api/webhooks/') ? 404 : 500
        response.writeHead(status, { 'x-you-sent': said, 'x-expected': keys })
        response.write(keys.slice(0, 30))
        response.end(`${keys.slice(30)} ${said} ${Buffer.concat(chunks)}`)
      })
    })
    server.on('connect', ({ headers, url = '' }, client) => {
      this.repeated.push(JSON.stringify(headers))
      const target = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n')
        target.pipe(client).pipe(target)
      })
      for (const socket of [client, target]) socket.on('error', () => {})
      tunnels.push(client, target)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    this.closeEcho = async () => {
      for (const socket of tunnels) socket.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  async #ask(method: string, path: string, body?: unknown, token: string = planted.adminToken) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const init = { method, headers }
    const response = await fetch(this.#url + path, {
      ...init,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, text, json: text.startsWith('{') ? JSON.parse(text) : null }
  }

  async #make(path: string, body: unknown) {
    const made = await this.#ask('POST', path, body)
    expect([made.text, made.status]).toEqual([made.text, 201])
    return made.json
  }

  async #deliver(echo: string): Promise<void> {
    const url = `${echo}/${planted.path}?token=${planted.query}`
    const once = { max_attempts: 1, delays: ['1s'] }
    const signed = { signing_schemes: ['standard', 'hookrail', 'github'], secret: planted.endpointSecret }
    const { id } = await this.#make('/v1/endpoints', { url, topics: ['*'], retry_policy: once, ...signed })
    await this.#ask('POST', `/v1/endpoints/${id}/rotate-secret`, {
      secret: planted.rotatedSecret,
      grace: '1h',
    })
    for (const credential of [
      { kind: 'api_key', api_key: planted.apiKey },
      { kind: 'basic', username: 'shop', password: planted.basicPassword },
      {
        ...{ kind: 'oauth2_client_credentials', client_id: 'shop', client_secret: planted.clientSecret },
        token_url: `${echo}/token`,
      },
      { kind: 'client_certificate', certificate, private_key: privateKey },
    ]) {
      const { kind } = credential
      const made = await this.#make('/v1/credentials', { name: kind, ...credential })
      const body = { url: `${echo}/${kind}`, topics: ['*'], retry_policy: once, credential_id: made.id }
      await this.#make('/v1/endpoints', body)
    }
    const key = await this.#make('/v1/keys', { name: 'shop' })
    this.#made.set('producerKey', key.key)
    this.#made.set('rotatedKey', (await this.#ask('POST', `/v1/keys/${key.id}/rotate`, {})).json.key)
    const admin = await this.#make('/v1/admin-tokens', { role: 'admin', label: 'a' })
    this.#made.set('adminTokenOfStore', admin.token)
    const payload = { password: planted.payload, callback_url: planted.address }
    const event = await this.#ask(
      'POST',
      '/v1/events',
      { topic: 'a', payload },
      this.#made.get('producerKey'),
    )
    const send = await this.#ask('POST', '/v1/deliveries', { endpoint_id: id, payload, retry: once })
    expect(event.json.delivery_ids).toHaveLength(5)
    for (const each of [...event.json.delivery_ids, send.json.id]) await this.#ended(each)
    this.answers.push({ path: 'test', text: (await this.#ask('POST', `/v1/endpoints/${id}/test`, {})).text })
    for (const wrong of [
      await this.#ask('POST', '/v1/endpoints', {
        url: `http://u:${planted.query}@127.0.0.1/`,
        secret: planted.endpointSecret,
      }),
      await this.#ask('POST', '/v1/endpoints', { url, secret: `${planted.endpointSecret}!` }),
      await this.#ask('POST', '/v1/credentials', {
        name: 'x',
        kind: 'bearer',
        password: planted.basicPassword,
      }),
      await this.#ask('POST', '/v1/credentials', { name: 'x', kind: 'nope', token: planted.accessToken }),
      await this.#ask('POST', '/v1/credentials', {
        ...{
          name: 'x',
          kind: 'client_certificate',
          certificate,
          private_key: privateKey.replace('BEGIN', 'BEGUN'),
        },
      }),
      await this.#ask('GET', '/v1/whoami', undefined, `${planted.adminToken}x`),
      await this.#ask('POST', '/v1/events', { topic: 5, payload, unknown: planted.payload }),
    ]) {
      expect([wrong.text, wrong.status >= 400]).toEqual([wrong.text, true])
      this.answers.push({ path: 'wrong', text: wrong.text })
    }
  }

  async #ended(id: string): Promise<void> {
    const state = async () => (await this.#ask('GET', `/v1/deliveries/${id}`)).json.state
    await vi.waitUntil(async () => (await state()) === 'dead_lettered', { timeout: patienceMs, interval: 20 })
  }

  async #readAll(): Promise<void> {
    const read = async (path: string) => {
      const answer = await this.#ask('GET', path)
      expect([path, answer.status]).toEqual([path, 200])
      this.answers.push({ path, text: answer.text })
      return answer.json
    }
    const { items } = await read('/v1/deliveries')
    for (const { id } of items) await read(`/v1/deliveries/${id}`)
    for (const path of ['/v1/events', '/v1/keys', '/v1/dlq', '/v1/admin-tokens', '/metrics', '/v1/tenants'])
      await read(path)
    const endpoints = await read('/v1/endpoints')
    for (const { id } of endpoints.items) await read(`/v1/endpoints/${id}`)
    const credentials = await read('/v1/credentials')
    for (const { id } of credentials.items) await read(`/v1/credentials/${id}`)
  }

  async #print(args: readonly string[], setting: Parameters<typeof runToEnd>[1] = {}): Promise<void> {
    const { out, err, bytes } = await runToEnd(args, setting)
    this.printed.push({ args: args.join(' '), text: `${out}\n${err}\n${bytes}` })
  }

  async #commands(): Promise<void> {
    const env = { OUTHOOK_URL: this.#url, OUTHOOK_TOKEN: planted.adminToken }
    const { items } = (await this.#ask('GET', '/v1/deliveries')).json
    for (const args of [
      ...['endpoints list', 'credentials list', 'credentials get basic', 'deliveries list', 'dlq list'],
      ...['events list', 'keys list', 'admin-tokens list', 'tenants list', `deliveries get ${items[0].id}`],
    ]) {
      await this.#print(args.split(' '), { env })
      await this.#print([...args.split(' '), '--json'], { env })
    }
    await this.#print(['deliveries', 'list'], { env: { ...env, OUTHOOK_TOKEN: `${planted.adminToken}x` } })
    await this.#print(['endpoints', 'create', `http://u:${planted.query}@h/`, '--topic', 'a'], { env })
  }

  async #examine(store: string): Promise<void> {
    const server = serverModule
    const env = { OUTHOOK_STORE: store, OUTHOOK_MASTER_KEY: planted.masterKey }
    await this.#print(['doctor'], { env, server })
    await this.#print(['doctor', '--json'], { env, server })
    await this.#print(['doctor'], { env: { ...env, OUTHOOK_MASTER_KEY: 'ab'.repeat(32) }, server })
    await this.#print(['doctor', '--master-key', `${planted.masterKey}!`], { env, server })
  }
}
