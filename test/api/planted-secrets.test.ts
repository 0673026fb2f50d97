/**
 * S3.18 A whole scenario with planted secrets, and everything that it writes is searched for them: the database, the log,
 * HTTP answers, metrics, errors with their stacks, and what `inspect` shows.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { createLogger } from '../../src/observability/log.ts'
import { Outhook } from '../../src/outhook.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import { patienceMs } from '../patience.ts'

const planted = {
  adminToken: 'hkadm_planted0admin0token0',
  masterKey: 'deadbeef'.repeat(8),
  endpointSecret: 'whsec_cGxhbnRlZC1lbmRwb2ludC1zZWNyZXQtMDE=',
  rotatedSecret: 'whsec_cGxhbnRlZC1yb3RhdGVkLXNlY3JldC0wMg==',
  query: 'planted-query-token',
  path: 'pl4ntedPathToken0123456789abcdefABCDEF',
  discord: 'pl4ntedDiscordToken_0123456789-abcdefghijklmnopqrstuvwxyzABCDEFGHIJ',
  payload: 'planted-payload-password',
  address: 'https://planted.example/callback?code=1',
}
const directory = mkdtempSync(join(tmpdir(), 'outhook-planted-'))
const file = join(directory, 'hooks.db')
const lines: string[] = []
const answers: { readonly path: string; readonly text: string }[] = []
const signatures = new Set<string>()
let producerKey = ''
let server: RunningServer
let closeEcho = async () => {}

/** Says all that it was asked, in body and header, as error pages do. */
async function anEcho(): Promise<string> {
  const echo = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      for (const [name, value] of Object.entries(request.headers)) {
        if (!name.includes('signature')) continue
        for (const part of String(value).split(/[ ,]/)) {
          const text = part.replace(/^(v1|sha256)=/, '')
          if (text.length > 20) signatures.add(text)
        }
      }
      const said = JSON.stringify({ url: request.url, headers: request.headers })
      // Not tried again, and told in the log.
      const status = request.url?.startsWith('/api/webhooks/') ? 404 : 500
      response.writeHead(status, { 'x-you-sent': said }).end(`${said} ${Buffer.concat(chunks)}`)
    })
  })
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
  closeEcho = async () => {
    echo.closeAllConnections()
    await new Promise((resolve) => echo.close(resolve))
  }
  return `http://127.0.0.1:${(echo.address() as AddressInfo).port}`
}

async function ask(method: string, path: string, body?: unknown, token: string = planted.adminToken) {
  const init = { method, headers: { authorization: `Bearer ${token}` } }
  const response = await fetch(server.url + path, {
    ...init,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, text, json: text.startsWith('{') ? JSON.parse(text) : null }
}

async function read(path: string) {
  const answer = await ask('GET', path)
  answers.push({ path, text: answer.text })
  return answer.json
}

async function ended(id: string): Promise<void> {
  const state = async () => (await ask('GET', `/v1/deliveries/${id}`)).json.state
  await vi.waitUntil(async () => (await state()) === 'dead_lettered', { timeout: patienceMs, interval: 20 })
}

beforeAll(async () => {
  const echo = await anEcho()
  const flags = {
    store: `sqlite:${file}`,
    port: 0,
    adminToken: planted.adminToken,
    masterKey: planted.masterKey,
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
    alertChannels: `alerts=${echo}/api/webhooks/123456789012345678/${planted.discord}`,
  }
  const log = createLogger({
    level: 'debug',
    format: 'json',
    destination: { write: (line) => void lines.push(line) },
  })
  server = await startServer(loadConfig({ flags }), { log })
  const url = `${echo}/${planted.path}?token=${planted.query}`
  const once = { max_attempts: 1, delays: ['1s'] }
  const made = await ask('POST', '/v1/endpoints', {
    url,
    secret: planted.endpointSecret,
    signing_schemes: ['standard', 'hookrail', 'github'],
    topics: ['*'],
    retry_policy: once,
  })
  expect([made.text, made.status]).toEqual([made.text, 201])
  const { id } = made.json
  await ask('POST', `/v1/endpoints/${id}/rotate-secret`, { secret: planted.rotatedSecret, grace: '1h' })
  producerKey = (await ask('POST', '/v1/keys', { name: 'shop' })).json.key
  const payload = { password: planted.payload, callback_url: planted.address }
  const event = await ask('POST', '/v1/events', { topic: 'a', payload }, producerKey)
  const send = await ask('POST', '/v1/deliveries', { endpoint_id: id, payload, retry: once })
  for (const each of [event.json.delivery_ids[0], send.json.id]) await ended(each)
  answers.push({ path: 'test', text: (await ask('POST', `/v1/endpoints/${id}/test`, {})).text })
  for (const wrong of [
    await ask('POST', '/v1/endpoints', {
      url: `http://u:${planted.query}@127.0.0.1/`,
      secret: planted.endpointSecret,
    }),
    await ask('POST', '/v1/endpoints', { url, secret: `${planted.endpointSecret}!` }),
    await ask('GET', '/v1/whoami', undefined, `${planted.adminToken}x`),
    await ask('POST', '/v1/events', { topic: 'a', payload, unknown: planted.payload, topics: 5 }),
  ]) {
    answers.push({ path: 'wrong', text: wrong.text })
  }
  const deliveries = await read('/v1/deliveries')
  for (const delivery of deliveries.items) await read(`/v1/deliveries/${delivery.id}`)
  for (const path of ['/v1/events', '/v1/keys', '/v1/dlq', '/v1/admin-tokens', '/metrics', '/v1/tenants'])
    await read(path)
  await read('/v1/endpoints')
  await read(`/v1/endpoints/${id}`)
  await server.close()
})
afterAll(async () => {
  await closeEcho()
  rmSync(directory, { recursive: true, force: true })
})

/** Which of them are in it, by name. */
function found(text: string, names: readonly (keyof typeof planted)[]): readonly string[] {
  const all = [
    ...names.map((name) => [name, planted[name]] as const),
    ...[...signatures].map((each) => ['signature', each] as const),
  ]
  const hidden = [...all, ['producerKey', producerKey] as const, ['discord', planted.discord] as const]
  return hidden.filter(([, secret]) => secret !== '' && text.includes(secret)).map(([name]) => name)
}

const never = ['adminToken', 'masterKey', 'endpointSecret', 'rotatedSecret'] as const
const everything = Object.keys(planted) as (keyof typeof planted)[]

test('the receiver did get and repeat them', () => {
  expect(signatures.size).toBeGreaterThanOrEqual(8)
  expect(lines.length).toBeGreaterThan(2)
  expect(lines.join()).toContain('http_500')
})

test('S3.18 the log holds none of them: the origin of a URL alone, no header, no payload, no line beyond 8000 characters', () => {
  expect(found(lines.join('\n'), everything)).toEqual([])
  const attempts = lines.map((line) => JSON.parse(line)).filter(({ message }) => message === 'attempt')
  expect(attempts.length).toBeGreaterThanOrEqual(2)
  for (const attempt of attempts) {
    expect(attempt.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(attempt).toMatchObject({ error: 'HTTP 500', http_status: 500 })
  }
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(8000)
})

test('the database holds secrets sealed, keys as hashes, and no signature that a receiver repeated', () => {
  const files = readdirSync(directory).filter((name) => !name.endsWith('.key'))
  expect(files).toContain('hooks.db')
  const bytes = Buffer.concat(files.map((name) => readFileSync(join(directory, name))))
  expect(found(bytes.toString('latin1'), never)).toEqual([])
})

test('answers show none of them but once to whoever made them, and a URL to whoever may read the endpoint', () => {
  for (const { path, text } of answers) {
    // Whoever may read a delivery may read its event; its URL stands with the endpoint.
    const isUrlShown = path.startsWith('/v1/endpoints') || path.startsWith('/v1/events')
    expect([path, found(text, isUrlShown ? never : [...never, 'query', 'path'])]).toEqual([path, []])
  }
  const captures = answers
    .filter(({ path }) => path.startsWith('/v1/deliveries/'))
    .map(({ text }) => JSON.parse(text))
  const responses = captures.flatMap(({ attempts }) =>
    attempts.map((each: { response: unknown }) => each.response),
  )
  expect(responses.length).toBeGreaterThanOrEqual(2)
  for (const response of responses) {
    const body = JSON.stringify(response)
    expect(body).toContain('[hidden]')
    expect(found(body, [...never, 'query', 'path'])).toEqual([])
    expect(body).toContain('outhook-delivery-id')
  }
})

test('errors, their stacks and what inspect shows of a program hold none of them', async () => {
  const texts: string[] = []
  const store = `sqlite:${join(directory, 'library.db')}`
  const hooks = await Outhook.open({ store, masterKey: planted.masterKey, dispatch: false })
  const show = (value: unknown) => texts.push(inspect(value, { depth: 12, showHidden: true }))
  for (const call of [
    () =>
      hooks.endpoints.create({ url: `https://u:${planted.query}@a.test/`, secret: planted.endpointSecret }),
    () => hooks.endpoints.create({ url: 'https://8.8.8.8/', secret: `${planted.endpointSecret}!` }),
    () => hooks.publish({ topic: 'a b', payload: { password: planted.payload } }),
    () => hooks.send({ url: `https://127.0.0.1/${planted.path}?token=${planted.query}`, payload: 1 }),
  ]) {
    await call().then(show, show)
  }
  show(hooks)
  await hooks.close()
  for (const options of [
    { store, masterKey: `${planted.masterKey}!` },
    { store, masterKey: 'ab'.repeat(32) },
    { store: 'memory:', outboundProxy: `ftp://u:${planted.query}@proxy.test` },
  ]) {
    await Outhook.open({ ...options, dispatch: false }).then(show, show)
  }
  expect(texts).toHaveLength(8)
  expect(found(texts.join('\n'), everything)).toEqual([])
})
