/** The trace context of an event, from the client and the command line to the receiver. */
import { expect, test } from 'vitest'
import { createClient } from '../../src/client/index.ts'
import { adminToken, aServer } from '../api/a-server.ts'
import { runToEnd } from '../cli/run-cli.ts'
import { aReceiver } from '../delivery/an-app.ts'
import { patienceMs } from '../patience.ts'

const parentOf = (digit: string) => `00-${digit.repeat(32)}-00f067aa0ba902b7-01`

test('the receiver sees what send, sendMany and outhook publish were given; malformed, it counts as none', async () => {
  const server = await aServer({
    dispatch: true,
    config: { allowHttp: true, allowNetworks: ['127.0.0.0/8'] },
  })
  const receiver = await aReceiver()
  await server.call('POST', '/v1/endpoints', { body: { url: receiver.url, topics: ['*'] } })
  const client = createClient({ url: server.url, token: adminToken })
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(parentOf)

  await client.send({ topic: 't', payload: 1, traceparent: a, tracestate: 'shop=1' })
  await client.send({ topic: 't', payload: 2, traceparent: 'x\r\ny: z', tracestate: 'shop=1' })
  const sent = await client.sendMany([
    { topic: 't', payload: 3, traceparent: a },
    { topic: 't', payload: 4, traceparent: b, tracestate: 'shop=4' },
    { topic: 't', payload: 5 },
    { topic: 't', payload: 6, traceparent: a },
  ])
  expect(sent.map(({ status }) => status)).toEqual([202, 202, 202, 202])
  const run = (payload: string, flags: readonly string[], env: Record<string, string> = {}) =>
    runToEnd(['publish', 't', payload, ...flags, '--url', server.url, '--token', adminToken], { env })
  await run('7', ['--traceparent', c ?? '', '--tracestate', 'shop=7'])
  await run('8', [], { TRACEPARENT: d ?? '', TRACESTATE: 'shop=8' })
  await run('9', ['--traceparent', c ?? ''], { TRACEPARENT: d ?? '', TRACESTATE: 'shop=8' })
  const refused = await run('10', ['--tracestate', 'shop=1'])
  expect([refused.code, refused.err]).toEqual([
    2,
    expect.stringContaining('--tracestate goes with --traceparent'),
  ])

  const received = await receiver.waitFor(9, patienceMs)
  const seen = received.map(({ body, headers }) => [
    Number(Buffer.from(body)),
    headers.traceparent,
    headers.tracestate,
  ])
  expect(seen.sort(([one], [other]) => Number(one) - Number(other))).toEqual([
    [1, a, 'shop=1'],
    [2, undefined, undefined],
    [3, a, undefined],
    [4, b, 'shop=4'],
    [5, undefined, undefined],
    [6, a, undefined],
    [7, c, 'shop=7'],
    [8, d, 'shop=8'],
    [9, c, undefined],
  ])
})
