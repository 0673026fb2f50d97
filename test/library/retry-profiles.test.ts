/** Retry profiles of the operator's own, in a program. */
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type OpenOptions, Outhook } from '../../src/outhook.ts'
import { aDirectory, aReceiver } from '../delivery/an-app.ts'
import { patienceMs } from '../patience.ts'

const gentle = { delays: ['1h'], max_attempts: 4, jitter: 'none', retry_on: ['5xx'] } as const

async function aProgram(options: OpenOptions & { readonly warnings?: object[] }) {
  const { warnings, ...rest } = options
  const ignore = () => {}
  const warn = (fields: unknown) => void (warnings ?? []).push(fields as object)
  const logger = { debug: ignore, info: ignore, error: ignore, warn }
  const hooks = await Outhook.open({ allowHttp: true, allowNetworks: ['127.0.0.0/8'], logger, ...rest })
  onTestFinished(() => hooks.close())
  return hooks
}

test('a profile of one’s own is named by subscriptions, endpoints, tenants and sends, and may be the server’s default', async () => {
  const hooks = await aProgram({ store: 'memory:', retryProfiles: { gentle }, defaultRetryPolicy: 'gentle' })
  const url = `${(await aReceiver()).url}/status/503`
  const waits: (number | null)[] = []
  hooks.on('attempt', ({ nextAttemptInMs }) => void waits.push(nextAttemptInMs))
  const byServer = await hooks.endpoints.create({ url, topics: ['a'] })
  expect(byServer.endpoint.effectiveRetryPolicy).toEqual({
    policy: 'gentle',
    from: 'server',
    unknownProfiles: [],
  })
  const own = await hooks.endpoints.create({ url, topics: ['b'], retryPolicy: 'gentle' })
  expect(own.endpoint).toMatchObject({ retryPolicy: 'gentle', effectiveRetryPolicy: { from: 'endpoint' } })
  const subscription = await hooks.subscriptions.create({
    endpointId: own.endpoint.id,
    topicPatterns: ['c'],
    retryPolicy: 'gentle',
  })
  expect(subscription.effectiveRetryPolicy).toMatchObject({ policy: 'gentle', from: 'subscription' })
  const tenant = await hooks.tenants.create({ uid: 'acme', settings: { retryPolicy: 'gentle' } })
  expect(tenant.settings.retryPolicy).toBe('gentle')
  for (const topic of ['a', 'b', 'c']) await hooks.publish({ topic, payload: 1 })
  await hooks.send({ url, payload: 1, retry: 'gentle' })
  await expect.poll(() => waits, { timeout: patienceMs }).toEqual(Array(4).fill(3_600_000))
})

test('a policy object is the default as well', async () => {
  const hooks = await aProgram({ store: 'memory:', defaultRetryPolicy: gentle })
  const { endpoint } = await hooks.endpoints.create({ url: 'https://127.0.0.1/' })
  expect(endpoint.effectiveRetryPolicy).toMatchObject({
    policy: { maxAttempts: 4, delays: [3_600_000] },
    from: 'server',
  })
})

test('where a profile is taken out that endpoints name, they go by the next policy, show its name, and the start warns', async () => {
  const store = `sqlite:${join(aDirectory(), 'a.db')}`
  const url = `${(await aReceiver()).url}/status/503`
  const first = await aProgram({ store, retryProfiles: { gentle }, dispatch: false })
  const { endpoint } = await first.endpoints.create({ url, topics: ['a'], retryPolicy: 'gentle' })
  await first.publish({ topic: 'a', payload: 1 })
  await first.close()
  const warnings: object[] = []
  const second = await aProgram({ store, defaultRetryPolicy: 'dograh', warnings })
  const retried = new Promise((resolve) => second.on('attempt', resolve))
  expect(warnings).toContainEqual({ profile: 'gentle', tenants: 0, endpoints: 1, subscriptions: 0 })
  expect(await second.endpoints.get(endpoint.id)).toMatchObject({
    retryPolicy: 'gentle',
    effectiveRetryPolicy: { policy: 'dograh', from: 'server', unknownProfiles: ['gentle'] },
  })
  expect(await retried).toMatchObject({ state: 'retry_scheduled', nextAttemptInMs: 30_000 })
  await second.endpoints.update(endpoint.id, { description: 'still there' })
  const refused = second.endpoints.update(endpoint.id, { retryPolicy: 'gentle' })
  await expect(refused).rejects.toThrow(/retryPolicy "gentle" is no profile; profiles are standard /)
  await second.close()
  const quiet: object[] = []
  const third = await aProgram({ store, retryProfiles: { gentle }, dispatch: false, warnings: quiet })
  expect((await third.endpoints.get(endpoint.id)).effectiveRetryPolicy).toEqual({
    policy: 'gentle',
    from: 'endpoint',
    unknownProfiles: [],
  })
  expect(quiet).toEqual([])
})

test.each([
  [{ retryProfiles: { standard: {} } }, /retryProfiles: .*"standard" is built in; choose another name/],
  [{ retryProfiles: { gentle: { often: 1 } } }, /retryProfiles: .*gentle\.often is not known/],
  [
    { defaultRetryPolicy: 'gentel', retryProfiles: { gentle } },
    /defaultRetryPolicy: "gentel" from .* is no profile; profiles are .*, gentle/,
  ],
  [{ defaultRetryPolicy: { delays: [] } }, /defaultRetryPolicy: .*the policy\.delays must be a list/],
])('what is wrong with a profile or the default is said: %o', async (options, message) => {
  await expect(Outhook.open({ store: 'memory:', ...(options as object) })).rejects.toThrow(message)
})
