/** The examples about sending and about tests of it. */
import { expect, test } from 'vitest'
import { runExample } from './run-example.ts'

test('send-webhook delivers after two refusals', async () => {
  const output = await runExample('send-webhook.ts')
  expect(output.trim().split('\n')).toEqual([
    expect.stringMatching(/^try 1: 500, again in \d+ ms$/),
    expect.stringMatching(/^try 2: 500, again in \d+ ms$/),
    'try 3: 200',
    'delivered after 3 tries',
  ])
})

test('send-through-proxies leaves the dead proxy out', async () => {
  const output = await runExample('send-through-proxies.ts')
  expect(output).toMatch(/^send 1: 200 through 127\.0\.0\.1:\d+ after 2 tries$/m)
  expect(output).toMatch(/^127\.0\.0\.1:1 rests$/m)
  expect(output).not.toContain('password')
})

test('test-with-a-guard passes, and sends nothing', async () => {
  const output = await runExample('test-with-a-guard.ts', { flags: ['--test', '--test-reporter=tap'] })
  expect(output).toMatch(/^# pass 2$/m)
})
