/** S1.48 and S1.49: commands that need no more than a server, or a store. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { adminToken, aServer } from '../api/a-server.ts'
import { describeCommands } from '../api/command-rows.ts'
import { aDirectory } from '../delivery/an-app.ts'
import { runToEnd } from './run-cli.ts'

describeCommands(() => {
  const store = `sqlite:${join(aDirectory(), 'outhook.db')}`
  return {
    store,
    open: (options) =>
      aServer({ ...options, config: { store, masterKey: 'ab'.repeat(32), ...options?.config } }),
  }
})

test('seed refuses an address that the server does not allow, and leaves no key behind', async () => {
  const server = await aServer()
  const args = ['seed', '--to', 'https://10.0.0.1/', '--url', server.url, '--token', adminToken]
  const { code, err } = await runToEnd(args)
  expect([code, err]).toEqual([2, expect.stringContaining('--to')])
  expect((await server.call('GET', '/v1/keys')).json.items).toEqual([])
})

test('load-test says what the server refused, and ends with 1', async () => {
  const server = await aServer({ config: { allowHttp: true, allowNetworks: ['127.0.0.0/8'] } })
  const viewerKey = (await server.producer()).key
  const run = (...args: string[]) => runToEnd(['load-test', ...args, '--url', server.url, '--json'])
  expect((await run('--token', viewerKey)).code).toBe(4)
  const lost = await run('--token', adminToken, '--rate', '50', '--duration', '100ms', '--patience', '50ms')
  expect(lost.code).toBe(1)
  expect(JSON.parse(lost.out)).toMatchObject({ published: 5, received: 0, stranded: 5, refused: 0 })
  expect((await server.call('GET', '/v1/endpoints')).json.items).toEqual([])
  const args = ['load-test', '--rate', '10', '--duration', '100ms', '--patience', '50ms']
  const { out } = await runToEnd([...args, '--url', server.url, '--token', adminToken])
  expect(out).toMatch(
    /stranded +1\nuntil accepted +p50 [\d.]+ ms, p95 [\d.]+ ms, p99 [\d.]+ ms, longest [\d.]+ ms\n/,
  )
})
