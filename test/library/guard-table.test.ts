/** The guard's table from the faces that are programs: the library, the client and the command line. */
import { expect, onTestFinished, test } from 'vitest'
import { createClient } from '../../src/client/index.ts'
import { Outhook } from '../../src/outhook.ts'
import { adminToken, aServer } from '../api/a-server.ts'
import { startCli } from '../cli/run-cli.ts'
import { loopbackSpellings, privateSpellings, wrongUrls } from '../sender/guard-cases.ts'

const urls = [
  ...[...loopbackSpellings, ...privateSpellings].map((host) => `https://${host}/hook`),
  ...wrongUrls.map((url) => url.replace('http', 'https').replaceAll('PORT', '8443')),
]
// What holds a control character is no text that could be kept.
const refused = { code: expect.stringMatching(/^(url_rejected|invalid_request)$/) }

test('G8 the library refuses each of them for an endpoint, in an upsert, in a change and for a send', async () => {
  const hooks = await Outhook.open({ store: 'memory:', dispatch: false })
  onTestFinished(() => hooks.close())
  const { endpoint } = await hooks.endpoints.create({ url: 'https://93.184.216.34/', uid: 'kept' })
  for (const url of urls) {
    for (const call of [
      () => hooks.endpoints.create({ url }),
      () => hooks.endpoints.upsert({ url, uid: 'kept' }),
      () => hooks.endpoints.update(endpoint.id, { url }),
      () => hooks.send({ url, payload: 1 }),
    ]) {
      await expect(call(), url).rejects.toMatchObject(refused)
    }
  }
  expect((await hooks.endpoints.get(endpoint.id)).url).toBe('https://93.184.216.34/')
})

test('the client is told of each of them', async () => {
  const server = await aServer()
  const client = createClient({ url: server.url, token: adminToken })
  for (const url of urls) {
    await expect(client.endpoints.create({ url }), url).rejects.toMatchObject({ ...refused })
    await expect(client.sendDirect({ url, body: '1' }), url).rejects.toMatchObject({
      status: 422,
      ...refused,
    })
  }
  expect((await client.endpoints.list()).items).toEqual([])
})

test.each([
  'https://0x7f.1/',
  'https://127。0。0。1/',
  'https://[::ffff:a9fe:a9fe]/',
  'https://[64:ff9b::a00:1]/',
])('the command line says why %s is refused, and ends with 2', async (url) => {
  const server = await aServer()
  const connection = ['--url', server.url, '--token', adminToken]
  for (const args of [
    ['endpoints', 'create', url],
    ['send', url, '1'],
  ]) {
    const run = startCli([...args, ...connection])
    expect([args[0], await run.exitCode, run.err()]).toEqual([
      args[0],
      2,
      expect.stringContaining("allow it with the server's --allow-network"),
    ])
  }
})
