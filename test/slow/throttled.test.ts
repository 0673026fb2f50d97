/** What is said of an endpoint that asked for less, by a real server and the command line beside it. */
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { ask, until } from './api-calls.ts'
import { aDirectory, adminToken, startServer } from './server-process.ts'

const run = promisify(execFile)
const entry = resolve(import.meta.dirname, '../../src/cli/main.ts')

test('a receiver that answers 429 makes its endpoint throttled, with its end, in the API and the command line', async () => {
  const receiver = createServer((request, response) => {
    request.resume()
    response.writeHead(429, { 'retry-after': '600' }).end()
  })
  await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening))
  onTestFinished(() => void receiver.close())
  const { port } = receiver.address() as AddressInfo
  const { url } = await startServer({ database: join(aDirectory(), 'hooks.db') })
  const body = { url: `http://127.0.0.1:${port}/`, topics: ['a'], uid: 'slow-one' }
  const { id } = await ask(url, '/v1/endpoints', { body })
  expect((await ask(url, `/v1/endpoints/${id}`)).state).toBe('active')
  const began = Date.now()
  await ask(url, '/v1/events', { body: { topic: 'a', payload: 1 } })
  await until('it is throttled', async () => (await ask(url, `/v1/endpoints/${id}`)).state === 'throttled')

  const one = await ask(url, `/v1/endpoints/${id}`)
  const [listed] = (await ask(url, '/v1/endpoints')).items
  for (const { state, resumes_at } of [one, listed]) {
    expect(state).toBe('throttled')
    const inMs = Date.parse(resumes_at) - began
    expect(inMs).toBeGreaterThan(590_000)
    expect(inMs).toBeLessThan(700_000)
  }
  const { state, last_http_status } = (await ask(url, `/v1/deliveries?endpoint_id=${id}`)).items[0]
  expect([state, last_http_status]).toEqual(['retry_scheduled', 429])

  const cli = async (...words: readonly string[]) => {
    const args = [entry, ...words, '--url', url, '--token', adminToken]
    return (await run(process.execPath, args, { env: { PATH: process.env.PATH, NODE_NO_WARNINGS: '1' } }))
      .stdout
  }
  expect(await cli('endpoints', 'list')).toMatch(/slow-one.*\bthrottled\b.*in (9m|10m)/s)
  expect(await cli('endpoints', 'get', 'slow-one')).toMatch(/throttled/)
  expect(JSON.parse(await cli('endpoints', 'get', 'slow-one', '--json'))).toMatchObject({
    state: 'throttled',
    resumes_at: one.resumes_at,
  })
})
