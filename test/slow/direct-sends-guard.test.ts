/** Direct sends whose name means another address at the attempt than when it was checked. */
import { beforeEach, expect, test, vi } from 'vitest'
import { anApp, aReceiver, tenant } from '../delivery/an-app.ts'

/** What the system answers, one after the other; the last one again and again. Empty: there is no such name. */
const answers = vi.hoisted(() => ({ left: [] as string[], asked: 0 }))
vi.mock('node:dns/promises', () => ({
  async lookup() {
    answers.asked += 1
    const address = (answers.left.length > 1 ? answers.left.shift() : answers.left[0]) ?? ''
    if (address === '') throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
    return [{ address, family: 4 }]
  },
}))
beforeEach(() => {
  answers.asked = 0
})

function anOrder(port: number) {
  const asked = { url: `http://moving.test:${port}/`, retry: { max_attempts: 1 } }
  const fields = { metadata: {}, idempotency: null, producerKeyId: null, traceContext: null }
  return { tenantId: tenant, asked, payload: Buffer.from('1'), ...fields }
}

test.each([
  ['was allowed when the send was made', '127.0.0.1', '10.0.0.1'],
  ['was allowed when the send was made, to where the metadata of a cloud is', '127.0.0.1', '169.254.169.254'],
  ['had no address when the send was made', '', '10.0.0.1'],
])(
  'S3.15 a direct send is not connected to a refused address that its name has by now, which %s',
  async (_what, ...all) => {
    const receiver = await aReceiver()
    answers.left = all
    const app = await anApp()
    const { deliveryId } = await app.engine.directSends.send(anOrder(receiver.port))
    expect(answers.asked).toBe(1)
    const [attempt] = await app.attempted(1)
    expect(attempt).toMatchObject({ deliveryId, errorClass: 'policy', httpStatus: null })
    expect(attempt?.error).toContain('moving.test resolves to a refused address')
    expect(receiver.received).toEqual([])
    expect((await app.engine.deliveries.get(tenant, deliveryId)).state).toBe('dead_lettered')
  },
)

test('a direct send is sent to where its name is at the attempt', async () => {
  const receiver = await aReceiver()
  answers.left = ['127.0.0.2', '127.0.0.1']
  const app = await anApp()
  const { deliveryId } = await app.engine.directSends.send(anOrder(receiver.port))
  const [attempt] = await app.attempted(1)
  expect(attempt).toMatchObject({ deliveryId, httpStatus: 200 })
  expect(receiver.received).toHaveLength(1)
})
