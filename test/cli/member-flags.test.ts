/** What a real server says of a member of a request, in the words of the command line that was typed. */
import { expect, test } from 'vitest'
import { adminToken, aServer } from '../api/a-server.ts'
import { runToEnd } from './run-cli.ts'

const url = 'https://x.example/hook'
const many = 'x'.repeat(1001)

test.each<[said: string, args: readonly string[]]>([
  ['--scheme (number 2) must be', ['endpoints', 'create', url, '--scheme', 'standard', '--scheme', 'nope']],
  ['--scheme (number 1) must be', ['endpoints', 'create', url, '--scheme', 'nope', '--scheme', 'none']],
  ['--topic (number 2) can never', ['endpoints', 'create', url, '--topic', 'a', '--topic', 'a.**']],
  ['--header (host) is set', ['endpoints', 'create', url, '--header', 'x-a: 1', '--header', 'host: 1']],
  [
    '--retry-policy (delays) must',
    ['endpoints', 'create', url, '--topic', 'a', '--retry-policy', '{"delays":[]}'],
  ],
  [
    '--breaker-pause is longer than --breaker-max-pause',
    ['endpoints', 'update', 'mine', '--breaker-pause', '2h', '--breaker-max-pause', '1h'],
  ],
  ['--disable-after must', ['endpoints', 'create', url, '--disable-after', '366d']],
  ['--description must', ['endpoints', 'create', url, '--description', many]],
  ['--uid must', ['endpoints', 'create', url, '--uid', many]],
  ['<uid> must', ['endpoints', 'upsert', many, url]],
  ['--scheme must', ['endpoints', 'upsert', 'a', url, '--scheme', 'nope']],
  ['--scheme must', ['endpoints', 'update', 'mine', '--scheme', 'nope']],
  ['--topic can never', ['endpoints', 'update', 'mine', '--topic', '*.a']],
  ['--grace must', ['endpoints', 'rotate-secret', 'mine', '--grace', '90d']],
  ['--uid must', ['endpoints', 'list', '--uid', many]],
  ['give the --cursor of', ['endpoints', 'list', '--cursor', 'nope']],
  ['--topic can never', ['subscriptions', 'create', 'mine', '--topic', 'a.**']],
  ['--retry-policy "nope" is', ['subscriptions', 'create', 'mine', '--topic', 'a', '--retry-policy', 'nope']],
  ['--event must be an id', ['deliveries', 'list', '--event', 'nope']],
  ['--subscription must be an id', ['deliveries', 'list', '--subscription', 'nope']],
  ['--topic must not hold', ['dlq', 'list', '--topic', 'a\0b']],
  ['--topic must not hold', ['events', 'list', '--topic', 'a\0b']],
  ['give the --cursor of', ['keys', 'list', '--cursor', 'nope']],
  ['<name> must', ['keys', 'create', many]],
  ['<topic> must not hold "*"', ['publish', 'a.*', '1']],
  ['--meta has the name', ['publish', 'a', '1', '--meta', 'A B=1']],
  ['--meta (ab) must', ['publish', 'a', '1', '--meta', 'ab=x\0']],
  ['--ordering-key exceeds', ['publish', 'a', '1', '--ordering-key', many]],
  [
    '--ordering-key and payload.ordering_key differ',
    ['publish', 'a', '{"ordering_key":"b"}', '--ordering-key', 'c'],
  ],
  ['--idempotency-key must be 1 to', ['publish', 'a', '1', '--idempotency-key', '']],
  ['--since must be before --until; nothing lies', ['events', 'list', '--since', '1h', '--until', '2h']],
  ['--since must be before --until', ['deliveries', 'list', '--since', '1h', '--until', '2h']],
  ['--since must be before --until', ['dlq', 'list', '--since', '1h', '--until', '2h']],
  ['<endpoint-url>: this is not a URL', ['endpoints', 'create', 'nope']],
  ['--to: this is not a URL', ['endpoints', 'update', 'mine', '--to', 'nope']],
  [
    "<endpoint-url>: 127.0.0.1 is a loopback address; allow it with the server's --allow-network 127.0.0.0/8",
    ['endpoints', 'create', 'https://127.0.0.1/'],
  ],
  ["allow it with the server's --allow-port 25", ['endpoints', 'create', 'https://x.example:25/']],
])('an error says "%s" of what was typed: %j', async (said, args) => {
  const server = await aServer()
  const run = (words: readonly string[]) => runToEnd([...words, '--url', server.url, '--token', adminToken])
  expect((await run(['endpoints', 'create', url, '--uid', 'mine'])).code).toBe(0)
  const { code, err } = await run(args)
  expect(err).toContain(said)
  expect(code).toBe(2)
  expect(err).not.toMatch(/signing_schemes|topics|headers\[|retry_policy|topic_patterns|event_id|next_cursor/)
})

test('an idempotency key that was used for something else is named as its flag', async () => {
  const server = await aServer()
  const publish = (payload: string) =>
    runToEnd([
      ...['publish', 'a', payload, '--idempotency-key', 'k', '--url', server.url, '--token', adminToken],
    ])
  expect((await publish('1')).code).toBe(0)
  const { code, err } = await publish('2')
  expect(err).toContain('--idempotency-key was reused with a different body')
  expect(code).not.toBe(0)
})

test('a subscription that is changed names its flags too', async () => {
  const server = await aServer()
  const run = (...words: string[]) => runToEnd([...words, '--url', server.url, '--token', adminToken])
  await run('endpoints', 'create', url, '--uid', 'mine')
  const made = await run('subscriptions', 'create', 'mine', '--topic', 'a', '--json')
  const { id } = JSON.parse(made.out) as { readonly id: string }
  const update = (...flags: string[]) => run('subscriptions', 'update', id, ...flags)
  expect((await update('--topic', 'a', '--topic', '**')).err).toContain('--topic (number 2) can never')
  expect((await update('--retry-policy', '{"base":"0s"}')).err).toContain('--retry-policy (base) must')
})
