import { expect, test } from 'vitest'
import { retryProfiles } from '../../src/core/retry-policy.ts'
import { classifyAttempt } from '../../src/destinations/over-http/judge.ts'
import { createAddressPolicy } from '../../src/sender/address-policy.ts'
import type { Lookup } from '../../src/sender/resolver.ts'
import { aWebhook } from './a-webhook.ts'
import {
  answering,
  aRawReceiver,
  aRequest,
  aSender,
  aTlsReceiver,
  failureFrom,
  ok,
  responseFrom,
  testAuthority,
} from './raw-receiver.ts'

const loopbackOnly = createAddressPolicy({ allowHttp: true, allowNetworks: ['127.0.0.1/32'] })

function lookupOf(...answers: string[][]): Lookup & { calls: number } {
  const lookup = async () => {
    const answer = answers[Math.min(lookup.calls++, answers.length - 1)] ?? []
    return answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  }
  lookup.calls = 0
  return lookup
}

test('S1.27 plain HTTP is refused, and the refusal names the flag', async () => {
  const receiver = await aRawReceiver(answering(ok))
  const guard = createAddressPolicy({ allowNetworks: ['127.0.0.0/8'] })
  const result = await failureFrom(aSender({ guard }), aRequest(receiver.url))
  expect(result).toMatchObject({ errorClass: 'policy', httpStatus: null })
  expect(result.error).toContain('--allow-http')
  expect(receiver.connections()).toBe(0)
})

test('S1.27 user info in the URL is refused, with and without a guard', async () => {
  const receiver = await aRawReceiver(answering(ok))
  const request = aRequest(receiver.url.replace('127', 'user:pa55word@127'))
  for (const guard of [loopbackOnly, null]) {
    const result = await failureFrom(aSender({ guard }), request)
    expect(result.errorClass).toBe('policy')
    expect(result.error).not.toContain('pa55word')
  }
  expect(receiver.connections()).toBe(0)
})

test.each([
  '127.0.0.1',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '[::ffff:127.0.0.1]',
  'localhost',
  'x.localhost',
])('S1.27 without permission %s is not connected to', async (host) => {
  const receiver = await aRawReceiver(answering(ok))
  const guard = createAddressPolicy({ allowHttp: true })
  const result = await failureFrom(aSender({ guard }), aRequest(`http://${host}:${receiver.port}/`))
  expect(result.errorClass).toBe('policy')
  expect(result.error).toContain('--allow-network 127.0.0.0/8')
  expect(receiver.connections()).toBe(0)
})

test.each([
  '10.0.0.1',
  '169.254.169.254',
  '::1',
  'fd00::1',
  '::ffff:10.0.0.1',
  '64:ff9b::a00:1',
  '2002:7f00:1::',
])('S1.27 a name that resolves to %s is not connected to', async (address) => {
  const sender = aSender({ guard: loopbackOnly, lookup: lookupOf([address]) })
  const result = await failureFrom(sender, aRequest('http://inside.test/'))
  expect(result.errorClass).toBe('policy')
  expect(result.error).toContain('inside.test resolves to a refused address')
  expect(result.error).toContain('--allow-network')
})

test('a name that resolves to a refused address is tried again, a literal address is not', async () => {
  const sender = aSender({ guard: loopbackOnly, lookup: lookupOf(['0.0.0.0']) })
  const byName = await failureFrom(sender, aRequest('http://inside.test/'))
  const byAddress = await failureFrom(sender, aRequest('http://0.0.0.0/'))
  expect(classifyAttempt(byName, retryProfiles.standard)).toMatchObject({
    status: 'retryable_failure',
    errorClass: 'policy',
    contact: 'none',
  })
  expect(classifyAttempt(byAddress, retryProfiles.standard)).toMatchObject({
    status: 'permanent_failure',
    errorClass: 'policy',
  })
})

test.each([
  ['a name', 'http://inside.test/', 3],
  ['an address', 'http://10.0.0.1/', 1],
])('the stand-alone sender with a guard makes of %s: %s so many tries: %i', async (_name, url, attempts) => {
  const pool = aSender({ guard: loopbackOnly, lookup: lookupOf(['10.0.0.1']) })
  const result = await aWebhook(url, { pool, maxRetries: 2 }).send({})
  expect(result).toMatchObject({ ok: false, errorCode: 'policy', attempts })
})

test('S1.27 one refused answer poisons the name, wherever it stands', async () => {
  const receiver = await aRawReceiver(answering(ok))
  for (const answers of [
    ['127.0.0.1', '10.0.0.1'],
    ['10.0.0.1', '127.0.0.1'],
  ]) {
    const sender = aSender({ guard: loopbackOnly, lookup: lookupOf(answers) })
    const result = await failureFrom(sender, aRequest(`http://mixed.test:${receiver.port}/`))
    expect(result.errorClass).toBe('policy')
  }
  expect(receiver.connections()).toBe(0)
})

test('S1.27 the address that was checked is the one connected to, though the name answers differently next time', async () => {
  const allowed = await aRawReceiver(answering(ok))
  const lookup = lookupOf(['127.0.0.1'], ['127.0.0.2'])
  const sender = aSender({ guard: loopbackOnly, lookup })
  const result = await responseFrom(sender, aRequest(`http://rebind.test:${allowed.port}/`))
  expect(result.httpStatus).toBe(200)
  expect(lookup.calls).toBe(1)
})

test('S1.27 an answer that has turned private since creation is refused at the dial', async () => {
  const receiver = await aRawReceiver(
    answering('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'),
  )
  const lookup = lookupOf(['127.0.0.1'], ['10.0.0.1'])
  let now = 0
  const clock = { now: () => now, elapsed: () => now, schedule: () => () => {} }
  const sender = aSender({ guard: loopbackOnly, lookup, clock })
  const request = aRequest(`http://rebind.test:${receiver.port}/`)
  await responseFrom(sender, request)
  await receiver.allClosed()
  now += 60_000
  expect((await failureFrom(sender, request)).errorClass).toBe('policy')
})

test('localhost goes to the loopback addresses that are allowed, without a lookup', async () => {
  const receiver = await aRawReceiver(answering(ok))
  const lookup = lookupOf(['10.0.0.1'])
  const sender = aSender({ guard: loopbackOnly, lookup })
  const result = await responseFrom(sender, aRequest(`http://localhost:${receiver.port}/`))
  expect(result.httpStatus).toBe(200)
  expect(lookup.calls).toBe(0)
})

test('host header and TLS name stay those of the URL when the address is pinned', async () => {
  let seen = ''
  const receiver = await aTlsReceiver((socket) => {
    socket.on('data', (chunk) => {
      seen += `${(socket as unknown as { servername: string }).servername} ${chunk}`
      socket.write(ok)
    })
  })
  const guard = createAddressPolicy({ allowNetworks: ['127.0.0.1'] })
  const sender = aSender({ guard, ca: testAuthority, lookup: lookupOf(['127.0.0.1']) })
  await responseFrom(sender, aRequest(`https://receiver.test:${receiver.port}/`))
  expect(seen).toMatch(/^receiver\.test POST/)
  expect(seen).toContain(`host: receiver.test:${receiver.port}\r\n`)
})

test('the answer to a refused destination does not depend on whether anything listens there', async () => {
  const guard = createAddressPolicy({ allowHttp: true })
  const receiver = await aRawReceiver(answering(ok))
  const listening = await failureFrom(aSender({ guard }), aRequest(`http://127.0.0.1:${receiver.port}/`))
  const closed = await failureFrom(aSender({ guard }), aRequest('http://127.0.0.1:1/'))
  expect(listening.error).toBe(closed.error)
})

test('without a guard any address and plain HTTP are reached', async () => {
  const receiver = await aRawReceiver(answering(ok))
  expect((await responseFrom(aSender({ guard: null }), aRequest(receiver.url))).httpStatus).toBe(200)
})
