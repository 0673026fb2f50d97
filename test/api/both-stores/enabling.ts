/** What waits for a disabled endpoint, and how it goes on: from each face, with one server on a store of any kind. */
import { describe, expect, test } from 'vitest'
import { TenantHooks } from '../../../src/tenant-hooks.ts'
import { runToEnd } from '../../cli/run-cli.ts'
import { patienceMs } from '../../patience.ts'
import { adminToken } from '../a-server.ts'
import { aName } from './scene.ts'
import type { SendingScene } from './sending-scene.ts'

type Backlog = 'deliver' | 'skip'

export function describeEnabling(scene: SendingScene): void {
  const call = (method: string, path: string, body?: object) => scene.server.call(method, path, { body })
  const cli = async (...args: string[]) => {
    const ended = await runToEnd([...args, '--url', scene.server.url, '--token', adminToken])
    expect([ended.err, ended.code]).toEqual(['', 0])
  }
  const library = () => new TenantHooks(scene.server.engine, 'default')

  /** It has answered 410 to the first of them; two wait. */
  async function aGoneEndpoint() {
    const topic = aName('enabling')
    const url = `${scene.receiver.url}/status/410`
    const { id } = (await call('POST', '/v1/endpoints', { url, topics: [topic] })).json
    const publish = async (): Promise<string> =>
      (await call('POST', '/v1/events', { topic, payload: 1 })).json.delivery_ids[0]
    await publish()
    const shown = async () => (await call('GET', `/v1/endpoints/${id}`)).json
    await expect.poll(async () => (await shown()).state, { timeout: patienceMs }).toBe('disabled')
    const waiting = [await publish(), await publish()]
    // It takes requests again.
    await call('PATCH', `/v1/endpoints/${id}`, { url: `${scene.receiver.url}/hook` })
    return { id, publish, shown, waiting }
  }

  const faces: readonly [face: string, enable: (id: string, backlog: Backlog) => Promise<unknown>][] = [
    ['HTTP', (id, backlog) => call('POST', `/v1/endpoints/${id}/enable`, { backlog })],
    ['the command line', (id, backlog) => cli('endpoints', 'enable', id, '--backlog', backlog)],
    [
      'the library',
      (id, backlog) =>
        backlog === 'skip'
          ? library().jobs.skipBacklog(id)
          : library().endpoints.update(id, { enabled: true }),
    ],
  ]

  describe.each(faces)('an endpoint that is disabled and enabled again by %s', (_face, enable) => {
    test.each([
      ['deliver', 'succeeded', null],
      ['skip', 'cancelled', 'skipped when its endpoint was enabled'],
    ] as const)(
      '%ss what waited, which was shown as waiting for it meanwhile',
      async (backlog, state, error) => {
        const { id, publish, shown, waiting } = await aGoneEndpoint()
        expect(await shown()).toMatchObject({ state: 'disabled', enabled: false, disabled_reason: 'gone' })
        for (const each of waiting) {
          const parked = {
            state: 'pending',
            reason: 'endpoint_disabled',
            next_attempt_at: null,
            attempt_count: 0,
          }
          expect(await scene.shown(each)).toMatchObject(parked)
        }
        const { items } = (await call('GET', `/v1/deliveries?endpoint_id=${id}&state=pending`)).json
        expect(items.map((item: { id: string }) => item.id).sort()).toEqual([...waiting].sort())
        await enable(id, backlog)
        for (const each of waiting) {
          const stateNow = async () => (await scene.shown(each)).state
          await expect.poll(stateNow, { timeout: patienceMs }).toBe(state)
          expect((await scene.shown(each)).last_error).toBe(error)
        }
        await expect.poll(async () => (await shown()).state, { timeout: patienceMs }).toBe('active')
        await scene.arrived(await publish())
        const arrived = scene.receiver.received.filter(({ deliveryId }) => waiting.includes(deliveryId ?? ''))
        expect(arrived.filter(({ path }) => path === '/hook')).toHaveLength(backlog === 'deliver' ? 2 : 0)
      },
    )
  })
}
