import { afterEach, expect, test } from 'vitest'
import { startCli } from './run-cli.ts'
import { type StubApi, startStubApi } from './stub-api.ts'

let api: StubApi
afterEach(() => api.close())

const body = { code: 'hkonce_1', expires_at: '2030-01-01T00:01:00.000Z' }
const aServer = async (status = 201) => {
  api = await startStubApi(() =>
    status === 201 ? { status, body } : { status, body: { title: 'no', detail: 'no' } },
  )
  return api
}
const run = (...args: string[]) => startCli(['dashboard', '--token', 'hkadm_1', ...args])

test('outhook dashboard prints a link whose code stands where no server sees it', async () => {
  const { url } = await aServer()
  const ran = run('--url', url)
  expect([await ran.exitCode, ran.err()]).toEqual([0, ''])
  expect(ran.out()).toContain(`${url}/dashboard/#sign-in=hkonce_1`)
  expect(api.requests).toMatchObject([
    { method: 'PUT', url: '/v1/sign-in/code', authorization: 'Bearer hkadm_1' },
  ])
})

test('outhook dashboard keeps the path of the server and names the tenant, also for programs', async () => {
  const { url } = await aServer()
  const ran = run('--url', url, '--tenant', 'acme', '--json')
  expect(await ran.exitCode).toBe(0)
  expect(JSON.parse(ran.out())).toEqual({
    link: `${url}/dashboard/?tenant=acme#sign-in=hkonce_1`,
    expires_at: body.expires_at,
  })
})

test('outhook dashboard says what is wrong with a token that may not', async () => {
  const { url } = await aServer(403)
  const ran = run('--url', url)
  expect(await ran.exitCode).toBeGreaterThan(0)
  expect(ran.err()).toContain('outhook: ')
  expect(ran.out()).toBe('')
})
