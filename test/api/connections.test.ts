import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Authentication } from '../../src/engine/authentication.ts'
import { adminToken, aServer, type TestServer } from './a-server.ts'
import { expectProblem, expectRawProblem } from './expect-problem.ts'

const fast = { headersMs: 200, requestMs: 300, checkMs: 50 }

function request(lines: readonly string[], body = ''): string {
  return `${[...lines, 'host: x', `authorization: Bearer ${adminToken}`].join('\r\n')}\r\n\r\n${body}`
}

describe('what is no request that can be read', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await aServer({ timeouts: fast, closeWith: () => undefined })
  })
  afterAll(() => server.close())

  test.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400, 'no HTTP method'],
    ['a TLS greeting', Buffer.from('160301020001000001fc0303', 'hex'), 400, 'no HTTP method'],
    ['an unknown method', 'BREW /v1/events HTTP/1.1\r\n\r\n', 400, 'no HTTP method'],
    ['a header without colon', 'GET /healthz HTTP/1.1\r\nhost: x\r\nnonsense\r\n\r\n', 400, 'well-formed'],
    ['a header with a null byte', 'GET /healthz HTTP/1.1\r\nhost: x\r\na: b\0c\r\n\r\n', 400, 'well-formed'],
    [
      'two lengths',
      request(['POST /v1/events HTTP/1.1', 'content-length: 2', 'content-length: 3'], '{}'),
      400,
      'well-formed',
    ],
    ['a negative length', request(['POST /v1/events HTTP/1.1', 'content-length: -1']), 400, 'well-formed'],
    [
      'a length and chunks',
      request(
        ['POST /v1/events HTTP/1.1', 'content-length: 2', 'transfer-encoding: chunked'],
        '2\r\n{}\r\n0\r\n\r\n',
      ),
      400,
      'well-formed',
    ],
    [
      'a chunk size that is no number',
      request(['POST /v1/events HTTP/1.1', 'transfer-encoding: chunked'], 'zz\r\n'),
      400,
      'well-formed',
    ],
    ['headers beyond 16 KiB', request(['GET /healthz HTTP/1.1', `x: ${'y'.repeat(20_000)}`]), 431, '16 KiB'],
    ['a URL beyond 16 KiB', request([`GET /${'y'.repeat(20_000)} HTTP/1.1`]), 431, '16 KiB'],
    ['CONNECT', 'CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\n\r\n', 405, 'no proxy'],
    [
      'an Expect of something else',
      request(['POST /v1/events HTTP/1.1', 'expect: miracles', 'content-length: 0', 'connection: close']),
      417,
      '100-continue',
    ],
    ['no Host', 'GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'Host header is missing'],
    ['headers that never end', 'GET /healthz HTTP/1.1\r\nhost: x\r\n', 408, 'did not arrive in time'],
    [
      'a body that never ends',
      request(['POST /v1/events HTTP/1.1', 'content-length: 500'], '{"topic":'),
      408,
      'did not arrive in time',
    ],
  ])('%s is answered with a problem', async (_name, bytes, status, detail) => {
    expectRawProblem(await server.raw(bytes), { status, detail })
  })

  test('a body that trickles is cut off in time, however often a byte comes', async () => {
    const socket = connect(server.port, '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('error', () => undefined)
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.write(request(['POST /v1/events HTTP/1.1', 'content-length: 5000'], '{"topic":"'))
    const drip = setInterval(() => socket.write('a'), 20)
    await closed
    clearInterval(drip)
    expectRawProblem(answer, { status: 408, detail: 'did not arrive in time' })
  })

  test('the same idempotency key twice is refused, because nobody can say which was meant', async () => {
    const lines = [
      'POST /v1/events HTTP/1.1',
      'idempotency-key: a',
      'idempotency-key: b',
      'connection: close',
    ]
    const answer = await server.raw(request([...lines, 'content-length: 25'], '{"topic":"a","payload":1}'))
    expectRawProblem(answer, { status: 400, detail: 'idempotency-key is given more than once' })
  })

  test('a connection goes on after a refused body, whose rest is read and dropped', async () => {
    const large = 'x'.repeat(300_000)
    const first = request(['POST /v1/events HTTP/1.1', `content-length: ${large.length}`], large)
    const answer = await server.raw(first + request(['GET /v1/whoami HTTP/1.1', 'connection: close']))
    expectRawProblem(answer.slice(0, answer.indexOf('}\n') + 2), { status: 413, detail: '256KB' })
    expect(answer).toMatch(/HTTP\/1\.1 200 [\s\S]*"role":"admin"/)
  })

  test('nothing is written behind the answer when a refused body then stalls', async () => {
    const answer = await server.raw(request(['POST /v1/events HTTP/1.1', 'content-length: 300000'], 'x'))
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expectRawProblem(answer, { status: 413 })
  })
})

describe('bodies as clients send them', () => {
  const event = '{"topic":"a.b","payload":1}'

  test.each([
    ['without a content type', []],
    ['as a form, as curl says', ['content-type: application/x-www-form-urlencoded']],
    ['with a content type that cannot be parsed', ['content-type: ;;;']],
    ['with 100-continue', ['expect: 100-continue']],
    ['as identity', ['content-encoding: identity']],
  ])('an event is accepted %s', async (_name, lines) => {
    const server = await aServer()
    const head = [
      'POST /v1/events HTTP/1.1',
      'connection: close',
      `content-length: ${event.length}`,
      ...lines,
    ]
    expect(await server.raw(request(head, event))).toMatch(/HTTP\/1\.1 202 /)
  })

  test('an event is accepted in chunks', async () => {
    const server = await aServer()
    const chunks = `${event.length.toString(16)}\r\n${event}\r\n0\r\n\r\n`
    const head = ['POST /v1/events HTTP/1.1', 'connection: close', 'transfer-encoding: chunked']
    expect(await server.raw(request(head, chunks))).toMatch(/HTTP\/1\.1 202 /)
  })
})

describe('time and closing', () => {
  test('a request whose answer does not come in time is answered with 503', async () => {
    const server = await aServer({
      timeouts: { handlerMs: 50 },
      wrapEngine: (engine) => ({
        ...engine,
        ping: () => new Promise(() => undefined),
        publisher: Object.assign(Object.create(engine.publisher), {
          publish: () => new Promise(() => undefined),
        }),
      }),
    })
    expectProblem(await server.call('GET', '/readyz'), { status: 503, detail: 'no answer in time' })
    const answer = await server.call('POST', '/v1/events', { body: { topic: 'a', payload: 1 } })
    expectProblem(answer, { status: 503, title: 'ingest unavailable' })
    expect(answer.headers.get('retry-after')).toBe('1')
  })

  test('a key whose look-up does not come back is answered with 503', async () => {
    const server = await aServer({
      timeouts: { handlerMs: 50 },
      wrapEngine: (engine) => ({
        ...engine,
        authentication: {
          authenticate: () => new Promise(() => undefined),
        } as unknown as Authentication,
      }),
    })
    const answer = await server.call('POST', '/v1/events', {
      token: 'hk_x',
      body: { topic: 'a', payload: 1 },
    })
    expectProblem(answer, { status: 503, detail: 'could not verify credentials' })
  })

  test('closing answers what runs, and does not wait for idle connections', async () => {
    const { promise: started, resolve: start } = Promise.withResolvers<void>()
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>()
    const server = await aServer({
      wrapEngine: (engine) => ({
        ...engine,
        ping: () => {
          start()
          return mayEnd
        },
      }),
    })
    // Leaves a keep-alive connection behind.
    await server.call('GET', '/healthz')
    const running = server.call('GET', '/readyz')
    await started
    const closed = server.close()
    end()
    expect((await running).status).toBe(200)
    await closed
    await expect(server.call('GET', '/healthz')).rejects.toThrow()
  })

  test('what cannot be answered does not keep the server from closing', async () => {
    const { promise: started, resolve: start } = Promise.withResolvers<void>()
    const server = await aServer({
      timeouts: { closeMs: 100 },
      wrapEngine: (engine) => ({
        ...engine,
        ping: () => {
          start()
          return new Promise(() => undefined)
        },
      }),
    })
    const running = server.call('GET', '/readyz').catch(() => 'cut off')
    await started
    await server.close()
    expect(await running).toBe('cut off')
  })
})
