/** Help fits 80 columns, says a command's own options first and only the settings that it uses. */
import { describe, expect, test } from 'vitest'
import { runToEnd } from './run-cli.ts'

const commands: readonly string[][] = [
  [],
  ...[
    'dev',
    'serve',
    'receiver',
    'publish',
    'send',
    'backup',
    'migrate-store',
    'migrate',
    'doctor',
    'scan-secrets',
    'completion',
  ].map((name) => [name]),
  ...['list', 'get', 'wait', 'payload'].map((name) => ['events', name]),
  ...['create', 'upsert', 'list', 'get', 'update', 'enable', 'delete', 'rotate-secret'].map((name) => [
    'endpoints',
    name,
  ]),
  ...['create', 'list', 'get', 'update'].map((name) => ['subscriptions', name]),
  ...['list', 'get'].map((name) => ['deliveries', name]),
  ...['list', 'replay'].map((name) => ['dlq', name]),
  ['import', 'pyfly'],
  ...['create', 'list', 'get', 'update', 'rotate', 'revoke'].map((name) => ['keys', name]),
  ...['create', 'list', 'get', 'revoke'].map((name) => ['admin-tokens', name]),
]

test.each(commands)('the help of "%s %s" fits 80 columns', async (...words) => {
  const { out, code } = await runToEnd([...words.filter((word) => word !== undefined), '--help'])
  expect(code).toBe(0)
  expect(out.split('\n').filter((line) => line.length > 80)).toEqual([])
})

const flagsOf = (help: string) => [...help.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, flag]) => flag)

describe('options', () => {
  test.each([
    [['deliveries', 'list'], '--state', '--url'],
    [['endpoints', 'create'], '--topic', '--url'],
    [['publish'], '--file', '--url'],
    [['keys', 'create'], '--admin', '--token'],
    [['migrate'], '--dry-run', '--store'],
    [['doctor'], '--json', '--config'],
  ])('the own ones of "%s" come before those that it shares', async (words, own, shared) => {
    const flags = flagsOf((await runToEnd([...words, '--help'])).out)
    expect(flags[0]).toBe(own)
    expect(flags.indexOf(shared)).toBeGreaterThan(flags.indexOf(own))
  })

  test.each([
    ['backup', ['--json', '--help', '--config', '--store', '--data-dir']],
    ['migrate', ['--dry-run', '--json', '--help', '--config', '--store', '--data-dir', '--new-store']],
    ['doctor', ['--json', '--help', '--config', '--store', '--data-dir', '--processes', '--master-key']],
  ])('"%s" names only the settings that it uses, and refuses the others', async (command, flags) => {
    expect(flagsOf((await runToEnd([command, '--help'])).out)).toEqual(expect.arrayContaining(flags))
    const { code, err } = await runToEnd([command, '--max-in-flight', '5'])
    expect([code, err]).toEqual([2, expect.stringContaining("unknown option '--max-in-flight'")])
  })
})

test.each([
  [['delivries'], "unknown command 'delivries'. Did you mean deliveries?"],
  [['delivries', '--help'], 'Did you mean deliveries?'],
  [['delivries', 'list', '--json'], 'Did you mean deliveries?'],
  [['help', 'delivries'], 'Did you mean deliveries?'],
  [['endpoints', 'creat'], "unknown command 'endpoints creat'. Did you mean create?"],
  [['endpoints', 'creat', '--help'], 'Did you mean create?'],
  [['help', 'endpoints', 'creat'], 'Did you mean create?'],
  [['xyzzy'], 'Commands are dev, serve,'],
])('%j is an unknown command: exit code 2, with what may have been meant', async (args, message) => {
  const { code, out, err } = await runToEnd(args)
  expect([code, out]).toEqual([2, ''])
  expect(err).toContain(message)
})
