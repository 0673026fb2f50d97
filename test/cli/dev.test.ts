import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ServerHooks, ServerModule } from '../../src/cli/io.ts'
import type { Config } from '../../src/config/schema.ts'
import { OuthookError } from '../../src/core/errors.ts'
import { noServer, startCli } from './run-cli.ts'
import type { StubApi, StubRequest } from './stub-api.ts'
import { startStubApi } from './stub-api.ts'

let directory: string
let keysMade: number
let starts: { readonly config: Config; readonly hooks: ServerHooks; readonly api: StubApi }[]
let closes: number

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'outhook-dev-'))
  keysMade = 0
  starts = []
  closes = 0
})
afterEach(() => rmSync(directory, { recursive: true }))

function answer({ method, url, authorization }: StubRequest) {
  if (url.startsWith('/v1/keys')) return { status: 201, body: { key: `hk_${++keysMade}` } }
  if (url === '/v1/sign-in/code')
    return { status: 201, body: { code: 'hkonce_1', expires_at: '2030-01-01T00:01:00.000Z' } }
  if (method === 'GET' && url.startsWith('/v1/endpoints/ep_named')) return { body: { uid: 'billing' } }
  if (method === 'GET') return { status: authorization === `Bearer hk_${keysMade}` ? 404 : 401, body: {} }
  return { status: 202, body: { items: [], next_cursor: '' } }
}

const server: ServerModule = {
  ...noServer,
  async startServer(config, hooks) {
    const api = await startStubApi(answer)
    starts.push({ config, hooks, api })
    return {
      url: api.url,
      adminToken: null,
      async close() {
        closes++
        await api.close()
      },
    }
  },
}

const startDev = (...args: string[]) =>
  startCli(['dev', '--data-dir', directory, '--port', '0', ...args], { server })

async function aFinishedDev(...args: string[]) {
  const run = startDev(...args)
  await run.waitForOutput('Ctrl-C ends')
  run.signal()
  expect(await run.exitCode).toBe(0)
  return run
}

const readDev = () => JSON.parse(readFileSync(join(directory, 'dev.json'), 'utf8'))

describe('outhook dev', () => {
  test('keeps its address and keys in dev.json, which only the user may read', async () => {
    await aFinishedDev()
    expect(readDev()).toEqual({
      url: starts[0]?.api.url,
      admin_token: expect.stringMatching(/^hkadm_[0-9a-f]{48}$/),
      producer_key: 'hk_1',
    })
    expect(readdirSync(directory)).toEqual(['dev.json'])
    if (process.platform !== 'win32') expect(statSync(join(directory, 'dev.json')).mode & 0o777).toBe(0o600)
  })

  test('goes on with the same keys at the next start', async () => {
    await aFinishedDev()
    const first = readDev()
    await aFinishedDev()
    expect(readDev()).toMatchObject({ admin_token: first.admin_token, producer_key: first.producer_key })
    expect(starts.map(({ config }) => config.adminToken)).toEqual([first.admin_token, first.admin_token])
    expect(keysMade).toBe(1)
  })

  test('makes a new producer key when the known one is no longer accepted', async () => {
    await aFinishedDev()
    keysMade++
    await aFinishedDev()
    expect(readDev().producer_key).toBe('hk_3')
  })

  test('opens loopback for endpoints and keeps its data in the directory', async () => {
    await aFinishedDev()
    expect(starts[0]?.config).toMatchObject({
      allowHttp: true,
      allowNetworks: ['127.0.0.0/8', '::1/128'],
      store: { kind: 'sqlite', path: join(directory, 'outhook.db') },
    })
  })

  test('brings its endpoint up to date and publishes a first event', async () => {
    await aFinishedDev()
    const bodies = starts[0]?.api.requests
      .filter(({ method }) => method === 'POST')
      .map(({ url, body }) => [url, JSON.parse(body)])
    expect(bodies).toEqual([
      ['/v1/keys', { name: 'dev' }],
      [
        '/v1/endpoints',
        expect.objectContaining({
          uid: 'dev-receiver',
          topics: ['*'],
          url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\//),
        }),
      ],
      ['/v1/events', { topic: 'demo.hello', payload: { hello: 'world' } }],
    ])
  })

  test('publishes its first event at the first start only', async () => {
    await aFinishedDev()
    await aFinishedDev()
    const published = starts.map(({ api }) => api.requests.filter(({ url }) => url === '/v1/events').length)
    expect(published).toEqual([1, 0])
  })

  test('a data directory that is a file is named, with exit code 2', async () => {
    const file = join(directory, 'taken')
    writeFileSync(file, '')
    const run = startCli(['dev', '--data-dir', file, '--port', '0'], { server })
    expect(await run.exitCode).toBe(2)
    expect(run.err()).toBe(`outhook: ${file} is not a directory; name another place for the data`)
  })

  test('prints what is needed to try it: address, token, key and lines to copy', async () => {
    const out = (await aFinishedDev()).out()
    const { url, admin_token, producer_key } = readDev()
    expect(out).toContain(`running at ${url}`)
    expect(out).toContain(`admin token    ${admin_token}`)
    expect(out).toContain(`producer key   ${producer_key}`)
    expect(out).toContain(`curl -s ${url}/v1/events -H 'Authorization: Bearer ${producer_key}'`)
  })

  test('prints a link to the dashboard that signs in by itself, and none where there is no dashboard', async () => {
    const out = (await aFinishedDev()).out()
    expect(out).toContain(`  ${readDev().url}/dashboard/#sign-in=hkonce_1\n`)
    const without = (await aFinishedDev('--dashboard', 'off')).out()
    expect(without).not.toContain('sign-in')
    expect(without).toContain('admin token')
  })

  test('its next step makes an endpoint that fails twice with a second between, and publishes what it gets', async () => {
    const lines = (await aFinishedDev()).out().split('\n')
    const next = lines.slice(lines.findIndex((line) => line.startsWith('Add an endpoint that fails twice')))
    const [endpoint, event] = next
      .filter((line) => line.includes('curl'))
      .map((line) => JSON.parse(/ -d '(.*)'$/.exec(line)?.[1] ?? ''))
    expect(endpoint).toMatchObject({
      url: expect.stringMatching(/\/fail\/2$/),
      topics: ['retry.*'],
      retry_policy: { delays: ['1s'], jitter: 'none' },
    })
    expect(event.topic).toMatch(/^retry\./)
  })

  test('shows each attempt as one line that says which endpoint it was to, in their order', async () => {
    const run = startDev()
    await run.waitForOutput('Ctrl-C ends')
    const attempt = { topic: 'a.b', url: 'http://127.0.0.1:1', latencyMs: 3.4 }
    const deliveryId = 'dlv_01m80y84v4fxz8pjab7can9tf7'
    starts[0]?.hooks.onAttempt?.({
      ...attempt,
      deliveryId,
      endpointId: 'ep_named',
      attemptNo: 1,
      httpStatus: 500,
      errorClass: 'http_500',
      state: 'retry_scheduled',
      nextAttemptInMs: 285_600,
    })
    starts[0]?.hooks.onAttempt?.({
      ...attempt,
      deliveryId,
      endpointId: 'ep_01m80y84v4fxz8pjab7can9tf8',
      attemptNo: 2,
      httpStatus: 200,
      errorClass: null,
      state: 'succeeded',
      nextAttemptInMs: null,
    })
    starts[0]?.hooks.onAttempt?.({
      ...attempt,
      deliveryId,
      endpointId: null,
      attemptNo: 3,
      httpStatus: null,
      errorClass: 'timeout',
      state: 'dead_lettered',
      nextAttemptInMs: null,
    })
    await run.waitForOutput('attempt 3')
    expect(run.out().split('\n').slice(-3)).toEqual([
      '↻ a.b  http_500  3 ms  attempt 1  again in 4m 46s  billing  dlv_…7can9tf7',
      '✓ a.b  200  3 ms  attempt 2  succeeded  ep_…7can9tf8  dlv_…7can9tf7',
      '✗ a.b  timeout  3 ms  attempt 3  dead_lettered  http://127.0.0.1:1  dlv_…7can9tf7',
    ])
    run.signal()
    await run.exitCode
  })

  test('takes the next free port when its own is taken', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as AddressInfo
    await aFinishedDev('--port', String(port))
    await new Promise((resolve) => taken.close(resolve))
    expect(starts[0]?.config.port).toBeGreaterThan(port)
  })

  test('ends with the reason when the server cannot start', async () => {
    const broken: ServerModule = {
      ...server,
      startServer: () => Promise.reject(new OuthookError('store_locked', 'process 42 holds the file')),
    }
    const run = startCli(['dev', '--data-dir', directory, '--port', '0'], { server: broken })
    expect(await run.exitCode).toBe(1)
    expect(run.err()).toBe('outhook: process 42 holds the file')
  })
})

describe('ending by signal', () => {
  test('closes the server and ends with 0', async () => {
    await aFinishedDev()
    expect(closes).toBeGreaterThan(0)
  })

  test('the same signal twice at once, as npm sends it, does not cut the drain short', async () => {
    const run = startDev()
    await run.waitForOutput('Ctrl-C ends')
    run.signal()
    run.signal()
    expect(await run.exitCode).toBe(0)
    expect(run.exited()).toBeNull()
  })
})
