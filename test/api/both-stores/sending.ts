/** Rows of docs/compatibility.md on deliveries, with one server on a store of any kind. */
import { describe, expect, test } from 'vitest'
import { anHttpServer, aReceiver } from '../../delivery/an-app.ts'
import type { OpenServer } from '../hookrail-rows.ts'
import { describeAuthorizedDomains } from './authorized-domains.ts'
import { describeCallbacks } from './callback-rows.ts'
import { describeCredentialHosts } from './credential-hosts.ts'
import { describeDeliveryEvents } from './delivery-events.ts'
import { describeEnabling } from './enabling.ts'
import { describeEndpointRequests } from './endpoint-requests.ts'
import { describeHealthSettings } from './health-settings.ts'
import { describeMessageEndpoints } from './message-endpoints.ts'
import { describeOperationalEvents } from './operational-events.ts'
import { describeOutcomes } from './outcomes.ts'
import { describeBreakerRows, describePolicyRows } from './policy-rows.ts'
import { describeRequests } from './requests.ts'
import { describeRetryProfiles } from './retry-profiles.ts'
import { aSendingScene, loopback } from './sending-scene.ts'
import { describeSigning } from './signing.ts'
import { describeUrlPools } from './url-pools.ts'

export function describeSending(newStore: () => OpenServer): void {
  describe('deliveries', () => {
    const scene = aSendingScene(newStore)
    describeRequests(scene)
    describeEndpointRequests(scene)
    describeUrlPools(scene)
    describeSigning(scene)
    describeOutcomes(scene)
    describeMessageEndpoints(scene)
    describeCallbacks(scene)
    describeAuthorizedDomains(scene)
    describeCredentialHosts(scene)
    describeOperationalEvents(scene)
    describePolicyRows(scene)
    describeDeliveryEvents(scene)
    describeHealthSettings(scene)
    describeEnabling(scene)
  })
  describeBreakerRows(newStore)
  describeRetryProfiles(newStore)

  test('S1.26 S4.12 an endpoint that stalls before its headers is a timeout, after as long as is configured', async () => {
    const limits = { headersTimeout: 100, totalTimeout: 200, connectTimeout: 50 }
    const server = await newStore()({ dispatch: true, config: { ...loopback, ...limits } })
    const receiver = await aReceiver()
    const attempt = new Promise((resolve) => server.engine.activity.once('attempt', resolve))
    const endpoint = { url: `${receiver.url}/timeout`, topics: ['*'] }
    await server.call('POST', '/v1/endpoints', { body: endpoint })
    await server.call('POST', '/v1/events', { body: { topic: 'a', payload: 1 } })
    expect(await attempt).toMatchObject({ errorClass: 'timeout', state: 'retry_scheduled', httpStatus: null })
  })

  test('S1.43 closing lets what is in flight end and gives the rest back without an attempt', async () => {
    const open = newStore()
    const server = await open({ dispatch: true, config: loopback })
    const begun = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<void>()
    let requests = 0
    const url = await anHttpServer((_request, response) => {
      requests += 1
      begun.resolve()
      void answer.promise.then(() => response.writeHead(200).end())
    })
    await server.call('POST', '/v1/endpoints', { body: { url, topics: ['*'], max_in_flight: 1 } })
    const events = [1, 2, 3].map((payload) => ({ topic: 'a', payload }))
    const { items } = (await server.call('POST', '/v1/events/batch', { body: { events } })).json
    await begun.promise
    const closed = server.close()
    answer.resolve()
    await closed
    expect(requests).toBe(1)
    const reader = await open({ config: loopback })
    const states: unknown[] = []
    for (const { event_id: id } of items) {
      const [delivery] = (await reader.call('GET', `/v1/events/${id}`)).json.deliveries
      states.push([delivery.state, delivery.attempt_count, delivery.attempts.length])
    }
    expect(states).toEqual([
      ['succeeded', 1, 1],
      ['pending', 0, 0],
      ['pending', 0, 0],
    ])
  })
}
