import { afterEach, describe, expect, test } from 'vitest'
import { runToEnd } from './run-cli.ts'
import type { StubApi } from './stub-api.ts'
import { startStubApi } from './stub-api.ts'

let api: StubApi | undefined
afterEach(async () => {
  await api?.close()
  api = undefined
})

async function aServerThatAnswers(status: number, headers: Record<string, string> = {}): Promise<string> {
  const body = {
    type: '/docs/errors/not_found',
    title: 'not found',
    status,
    detail: 'no event with that id',
    code: 'not_found',
  }
  api = await startStubApi(() => ({ status, headers, body }))
  return api.url
}

describe('exit codes', () => {
  test('0 when the command did what it was asked', async () => {
    api = await startStubApi(() => ({ body: { items: [], next_cursor: '' } }))
    const { code, out, err } = await runToEnd(['events', 'list', '--url', api.url])
    expect({ code, out, err }).toEqual({ code: 0, out: 'none', err: '' })
  })

  test.each([
    [404, 3],
    [401, 4],
    [403, 4],
    [400, 2],
    [422, 2],
    [429, 5],
    [503, 5],
    [409, 1],
    [500, 1],
  ])(
    'a server that answers %i ends the command with %i, and its words on standard error',
    async (status, code) => {
      const result = await runToEnd(['events', 'get', 'evt_1', '--url', await aServerThatAnswers(status)])
      expect(result).toMatchObject({ code, out: '', err: 'outhook: not found: no event with that id' })
    },
  )

  test('5 when nobody listens at the address', async () => {
    const url = await aServerThatAnswers(200)
    await api?.close()
    const { code, err } = await runToEnd(['events', 'list', '--url', url])
    expect(code).toBe(5)
    expect(err).toBe(`outhook: no answer from ${url}: connection refused; is the server running?`)
  })

  test('5 when what answers is not Outhook', async () => {
    api = await startStubApi(() => ({ body: '<html>' }))
    const { code, err } = await runToEnd(['events', 'list', '--url', api.url])
    expect(code).toBe(5)
    expect(err).toContain('the answer is not JSON')
  })

  test.each([
    ['an unknown command', ['evnts'], /unknown command 'evnts'[\s\S]*Did you mean events\?/],
    [
      'an unknown option',
      ['events', 'list', '--tpic', 'a'],
      /unknown option '--tpic'[\s\S]*Did you mean --topic\?/,
    ],
    ['a missing argument', ['events', 'get'], /missing required argument 'id'/],
    ['too many arguments', ['events', 'get', 'a', 'b'], /too many arguments/],
    ['a bad limit', ['events', 'list', '--limit', '0'], /Use a whole number from 1 to 200/],
    [
      'a bad rate',
      ['endpoints', 'update', 'ep_1', '--rate-limit', '0'],
      /Use requests per second from 0.01 to 1000000/,
    ],
    ['a bad time', ['events', 'list', '--since', 'tuesday'], /Use a time such as 2026-01-31T12:00:00Z/],
    ['a bad duration', ['events', 'wait', 'x', '--timeout', '1 hour'], /Use "500ms"/],
    ['an address that is none', ['events', 'list', '--url', 'localhost 8080'], /is no address/],
    [
      'a payload that is not JSON',
      ['publish', 't', '{a:1}', '--url', 'http://127.0.0.1:9'],
      /the payload is not JSON/,
    ],
    ['a bad configuration', ['serve', '--port', 'x'], /port: "x" from the flag --port is not allowed/],
    ['no command at all', [], /Usage: outhook/],
  ])('2 for %s, which is named', async (_what, args, message) => {
    const { code, out, err } = await runToEnd(args)
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err).toMatch(message)
  })

  test('2 when no server is named and no "outhook dev" ran here', async () => {
    const { code, err } = await runToEnd(['events', 'list', '--data-dir', '/nonexistent-outhook'])
    expect(code).toBe(2)
    expect(err).toContain('give --url (or set OUTHOOK_URL)')
  })

  test('with --json an error is one JSON object on standard error', async () => {
    const url = await aServerThatAnswers(404)
    const { code, out, err } = await runToEnd(['events', 'get', 'evt_1', '--url', url, '--json'])
    expect(code).toBe(3)
    expect(out).toBe('')
    expect(JSON.parse(err)).toEqual({
      error: {
        message: 'not found: no event with that id',
        status: 404,
        code: 'not_found',
        title: 'not found',
        detail: 'no event with that id',
      },
    })
  })
})

describe('help', () => {
  test('names every command and every exit code, and is no error', async () => {
    const { code, out, err } = await runToEnd(['--help'])
    expect(code).toBe(0)
    expect(err).toBe('')
    for (const name of [
      'dev',
      'serve',
      'receiver',
      'publish',
      'events',
      'endpoints',
      'subscriptions',
      'deliveries',
    ]) {
      expect(out).toMatch(new RegExp(`^  ${name} `, 'm'))
    }
    expect(out).toMatch(/Exit codes:\n {2}0 {2}done/)
  })

  test.each([
    'dev',
    'serve',
    'receiver',
    'publish',
    'events',
    'endpoints',
    'subscriptions',
    'deliveries',
    'dlq',
    'keys',
    'backup',
  ])('of %s says how it is used', async (name) => {
    const { code, out } = await runToEnd([name, '--help'])
    expect(code).toBe(0)
    expect(out).toContain(`Usage: outhook ${name}`)
    expect(out.split('\n').length).toBeGreaterThan(6)
    expect(await runToEnd(['help', name])).toMatchObject({ code: 0, out })
  })

  test('of the server lists every setting with its variable', async () => {
    const { out } = await runToEnd(['serve', '--help'])
    expect(out).toContain('--allow-network <range>')
    expect(out.replace(/\s+/g, ' ')).toContain('(OUTHOOK_MAX_IN_FLIGHT; default: 512)')
  })
})
