import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { routeAccess } from '../../src/api/route-access.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import { startReceiver } from '../../src/testing/receiver.ts'
import { patienceMs } from '../patience.ts'

const adminToken = 'hkadm_start_server_test'
const hooks = { log: silentLogger, onMasterKeyCreated: () => undefined }

async function aServer(options: Readonly<Record<string, unknown>> = {}): Promise<RunningServer> {
  const config = loadConfig({ flags: { store: 'memory:', port: 0, adminToken, ...options } })
  const server = await startServer(config, hooks)
  onTestFinished(() => server.close())
  return server
}

async function aReceiver() {
  const receiver = await startReceiver()
  onTestFinished(() => receiver.close())
  return receiver
}

const portOf = ({ url }: { readonly url: string }): number => Number(new URL(url).port)

async function post(server: RunningServer, path: string, body: unknown): Promise<void> {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}` },
    body: JSON.stringify(body),
  })
  expect(response.ok, await response.text()).toBe(true)
}

test('S2.20 a dead letter is told where the setting alert-channels says', async () => {
  const receiver = await aReceiver()
  const people = await aReceiver()
  const server = await aServer({
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
    alertChannels: `alerts=${people.url}/succeed`,
  })
  await post(server, '/v1/endpoints', { url: `${receiver.url}/status/422`, topics: ['*'] })
  await post(server, '/v1/events', { topic: 'orders.created', payload: {} })
  const [alert] = await people.waitFor(1, patienceMs)
  const body = Buffer.from(alert?.body ?? []).toString()
  expect(body).toContain('A delivery was given up')
  expect(body).toContain('orders.created')
})

test('an alert channel that is no URL ends the start, and is not repeated', async () => {
  const starting = aServer({ alertChannels: 'secret-typo' })
  await expect(starting).rejects.toMatchObject({ code: 'invalid_config' })
  await expect(starting).rejects.not.toMatchObject({ message: expect.stringContaining('secret-typo') })
})

test('a port that another Outhook holds is said to be so', async () => {
  const first = await aServer()
  await expect(aServer({ port: portOf(first) })).rejects.toMatchObject({
    code: 'invalid_config',
    message: expect.stringContaining('an Outhook server is listening there already'),
  })
})

test.each([
  ['answers', (server: Server) => server.on('request', (_request, response) => response.end())],
  ['never answers', (server: Server) => server.on('request', () => undefined)],
])('a port that something else holds which %s is another process', async (_how, behave) => {
  const other = behave(createServer())
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    other.closeAllConnections()
    other.close()
  })
  const { port } = other.address() as AddressInfo
  await expect(aServer({ port })).rejects.toMatchObject({
    code: 'invalid_config',
    message: expect.stringContaining('another process is listening there'),
  })
})

test('a key file that is lost is named, with both keys', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'outhook-start-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const store = `sqlite:${join(directory, 'hooks.db')}`
  await (await aServer({ store })).close()
  const keyFile = join(directory, 'hooks.db.key')
  rmSync(keyFile)
  for (const _twice of [1, 2]) {
    await expect(aServer({ store })).rejects.toMatchObject({
      code: 'wrong_master_key',
      message: expect.stringMatching(
        /the key file .*hooks\.db\.key is missing; restore it .*OUTHOOK_MASTER_KEY.* key [0-9a-f]{8};.* [0-9a-f]{8}, opens/,
      ),
    })
  }
})

test('no route keeps what the engine was before its store was open: none answers 5xx on a server that was really started', async () => {
  const server = await aServer()
  const routes = Object.keys(routeAccess).filter((route) => route.includes(' /v1/') || route.endsWith('z'))
  expect(routes.length).toBeGreaterThan(50)
  const failed: string[] = []
  for (const route of routes) {
    const [method = '', url = ''] = route.split(' ')
    const path = url
      .replace(':secret_id', 'sec_00000000000000000000000000')
      .replace(/:\w+/g, 'ep_00000000000000000000000000')
    const response = await fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${adminToken}` },
      ...(method === 'GET' || method === 'DELETE' ? {} : { body: '{}' }),
    })
    if (response.status >= 500) failed.push(`${route} ${response.status} ${await response.text()}`)
    // Not read to its end, which the live stream does not have.
    else await response.body?.cancel()
  }
  expect(failed).toEqual([])
})
