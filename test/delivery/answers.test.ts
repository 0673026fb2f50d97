/** Peers as they are: what a receiver took is delivered, however oddly it answers. */
import { expect, test } from 'vitest'
import { aRawReceiver } from '../sender/raw-receiver.ts'
import { anApp, anEndpointAt, onlyDelivery, publish } from './an-app.ts'

const head = 'HTTP/1.1 200 OK\r\n'

const taken: readonly (readonly [name: string, answer: string, ends: boolean])[] = [
  [
    '100 Continue that nobody asked for',
    `HTTP/1.1 100 Continue\r\n\r\n${head}content-length: 0\r\n\r\n`,
    false,
  ],
  ['the same length twice', `${head}content-length: 2\r\ncontent-length: 2\r\n\r\nok`, false],
  ['a body that breaks off', `${head}content-length: 9\r\n\r\nabc`, true],
  ['a body that never ends', `${head}content-length: 9\r\n\r\nabc`, false],
]

test.each(taken)(
  'an answer with %s is a delivery at the first attempt, six times in a row',
  async (_name, answer, ends) => {
    const receiver = await aRawReceiver((socket) =>
      socket.on('data', () => (ends ? socket.end(answer) : socket.write(answer))),
    )
    const app = await anApp({
      options: { totalTimeout: '300ms', headersTimeout: '200ms', connectTimeout: '200ms' },
    })
    await anEndpointAt(app.engine, receiver.url)
    for (let count = 1; count <= 6; count++) {
      const { eventId } = await publish(app.engine)
      await app.attempted(count)
      expect(await onlyDelivery(app.engine, eventId)).toMatchObject({
        state: 'succeeded',
        lastHttpStatus: 200,
        attemptCount: 1,
      })
    }
  },
)

test.each([
  [410, 'dead_lettered', 'http_410'],
  [302, 'dead_lettered', 'redirect_rejected'],
  [500, 'retry_scheduled', 'http_500'],
])('an answer of %i whose body breaks off makes the delivery %s', async (status, state, errorClass) => {
  const receiver = await aRawReceiver((socket) =>
    socket.on('data', () => socket.end(`HTTP/1.1 ${status} Hm\r\ncontent-length: 9\r\n\r\nabc`)),
  )
  const app = await anApp()
  await anEndpointAt(app.engine, receiver.url)
  const { eventId } = await publish(app.engine)
  await app.attempted(1)
  const delivery = await onlyDelivery(app.engine, eventId)
  expect(delivery).toMatchObject({ state, errorClass, lastHttpStatus: status })
  expect(delivery.lastError).toContain(`HTTP ${status}: abc (`)
})

test('answer and end in one segment: fifty events in a row, one attempt each', async () => {
  const receiver = await aRawReceiver((socket) =>
    socket.on('data', () => socket.end(`${head}content-length: 0\r\n\r\n`)),
  )
  const app = await anApp()
  await anEndpointAt(app.engine, receiver.url)
  for (let count = 1; count <= 50; count++) {
    await publish(app.engine)
    expect((await app.attempted(count)).at(-1)).toMatchObject({ state: 'succeeded', attemptNo: 1 })
  }
})
