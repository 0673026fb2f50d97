/** Receivers that mean harm, one attempt at each; what they do to others is in test/slow/hostile-receivers.test.ts. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSystemClock } from '../../src/core/clock.ts'
import { createAddressPolicy } from '../../src/sender/address-policy.ts'
import { createHttpSender } from '../../src/sender/http-sender.ts'
import type { AttemptResult, Sender } from '../../src/sender/port.ts'
import { patienceMs } from '../patience.ts'
import { hostileReceivers, type OpenReceiver, openHostileReceivers } from './hostile-receivers.ts'
import { aRequest, testAuthority } from './raw-receiver.ts'

const limits = { connectTimeoutMs: 800, headersTimeoutMs: 900, totalTimeoutMs: 1000 }
const maxKeptBytes = 16_384
const guard = createAddressPolicy({ allowHttp: true, allowNetworks: ['127.0.0.0/8'] })
let opened: Awaited<ReturnType<typeof openHostileReceivers>>
beforeAll(async () => {
  opened = await openHostileReceivers()
})
afterAll(() => opened?.close())

const open = (): Sender =>
  createHttpSender({ clock: createSystemClock(), guard, ca: testAuthority, ...limits })
const attempt = (sender: Sender, { url }: OpenReceiver) => sender.attempt(aRequest(url))

describe('an attempt', () => {
  const results = new Map<string, AttemptResult>()
  beforeAll(async () => {
    const sender = open()
    await Promise.all(
      opened.receivers.map(
        async (receiver) => void results.set(receiver.what, await attempt(sender, receiver)),
      ),
    )
    await sender.close()
  })

  test.each(hostileReceivers)(
    'at a receiver with $what ends within its time, with the right class',
    (receiver) => {
      const { what, slow = false, expected } = receiver
      const result = results.get(what)
      const isRedirect = expected.errorClass === 'redirect_rejected'
      const failed = result?.kind === 'failure' ? result.errorClass : null
      expect([failed, result?.httpStatus]).toEqual([
        expected.httpStatus === null ? expected.errorClass : null,
        expected.httpStatus,
      ])
      // All at once on a busy machine; without its deadline a slow one would go on for ever.
      expect(result?.latencyMs).toBeLessThan(slow ? 10_000 : patienceMs)
      if (slow) expect(result?.latencyMs).toBeGreaterThanOrEqual(limits.headersTimeoutMs - 10)
      if (result?.kind === 'response') expect(result.response.body.length).toBeLessThanOrEqual(maxKeptBytes)
      const receiverOf = opened.receivers.find((each) => each.what === what)
      if (isRedirect) expect(receiverOf?.connections()).toBe(1)
    },
  )
})
