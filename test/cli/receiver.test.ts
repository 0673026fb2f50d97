import { expect, test } from 'vitest'
import { startCli } from './run-cli.ts'

test('the receiver answers by path, prints each request, and ends with 0 on a signal', async () => {
  const run = startCli(['receiver', '--port', '0', '--json'])
  await run.waitForOutput('"url"')
  const { url } = JSON.parse(run.out())
  const response = await fetch(`${url}/fail/1`, {
    method: 'POST',
    body: '{"a":1}',
    headers: { 'outhook-delivery-id': 'dlv_1', 'outhook-topic': 'a.b' },
  })
  expect(response.status).toBe(500)
  await run.waitForOutput('dlv_1')
  expect(JSON.parse(run.out().split('\n')[1] ?? '')).toMatchObject({
    status: 500,
    path: '/fail/1',
    topic: 'a.b',
    delivery_id: 'dlv_1',
    body: '{"a":1}',
  })
  run.signal()
  expect(await run.exitCode).toBe(0)
})
