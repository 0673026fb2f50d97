/** One server that sends, and one receiver, for many cases. */
import { afterAll, beforeAll, expect } from 'vitest'
import type { AttemptActivity } from '../../../src/delivery/activity.ts'
import type { ReceivedRequest } from '../../../src/testing/received-request.ts'
import { type Receiver, startReceiver } from '../../../src/testing/receiver.ts'
import { patienceMs } from '../../patience.ts'
import type { TestServer } from '../a-server.ts'
import type { OpenServer } from '../hookrail-rows.ts'
import { aName } from './scene.ts'

export const loopback = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }

export interface SendingScene {
  readonly server: TestServer
  readonly receiver: Receiver
  /** An endpoint of a topic of its own, and an event for it. */
  deliver(url: string, settings?: object, payload?: string): Promise<Delivering>
  /** Of a delivery, once there are so many. */
  attempted(id: string, count?: number): Promise<readonly AttemptActivity[]>
  arrived(id: string, count?: number): Promise<readonly ReceivedRequest[]>
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into at will.
  shown(id: string): Promise<any>
}

export interface Delivering {
  readonly topic: string
  readonly endpoint: { readonly id: string; readonly secret: string }
  readonly eventId: string
  /** Of the delivery. */
  readonly id: string
}

/** Opened before the tests of the suite in which it is called. */
export function aSendingScene(newStore: () => OpenServer): SendingScene {
  let server: TestServer
  let receiver: Receiver
  const attempts: AttemptActivity[] = []
  const closing: (() => Promise<void>)[] = []
  beforeAll(async () => {
    receiver = await startReceiver()
    const closeWith = (close: () => Promise<void>): void => void closing.push(close)
    server = await newStore()({ dispatch: true, config: loopback, closeWith })
    server.engine.activity.on('attempt', (attempt) => void attempts.push(attempt))
  })
  afterAll(async () => {
    await Promise.all(closing.map((close) => close()))
    await receiver?.close()
  })
  return {
    get server() {
      return server
    },
    get receiver() {
      return receiver
    },
    async deliver(url, settings = {}, payload = '{"id":1}') {
      const topic = aName('sending')
      const made = await server.call('POST', '/v1/endpoints', { body: { url, topics: [topic], ...settings } })
      expect([made.text, made.status]).toEqual([made.text, 201])
      const body = `{"topic":"${topic}","payload":${payload}}`
      const { json } = await server.call('POST', '/v1/events', { body })
      return { topic, endpoint: made.json, eventId: json.id, id: json.delivery_ids[0] }
    },
    async attempted(id, count = 1) {
      const ofIt = () => attempts.filter(({ deliveryId }) => deliveryId === id)
      await expect
        .poll(() => ofIt().length, { timeout: patienceMs, interval: 5 })
        .toBeGreaterThanOrEqual(count)
      return ofIt()
    },
    async arrived(id, count = 1) {
      const ofIt = (all: readonly ReceivedRequest[]) => all.filter(({ deliveryId }) => deliveryId === id)
      return ofIt(await receiver.waitFor((all) => ofIt(all).length >= count, patienceMs))
    },
    shown: async (id) => (await server.call('GET', `/v1/deliveries/${id}`)).json,
  }
}
