/** Connections to receivers that have not yet answered are opened slowly, and those of others are not. */
import { expect, test } from 'vitest'
import type { ConnectCallback, ConnectTarget } from '../../src/sender/connector.ts'
import type { Sender } from '../../src/sender/port.ts'
import { StrangerConnector } from '../../src/sender/stranger-connector.ts'
import { answering, aRawReceiver, aRequest, aSender, responseFrom } from './raw-receiver.ts'

/** Notes what is opened and what is cancelled. */
function aStrangers() {
  const opened: string[] = []
  const cancelled: string[] = []
  const strangers = new StrangerConnector({
    open({ hostname }) {
      opened.push(hostname)
      return () => void cancelled.push(hostname)
    },
  })
  const callback: ConnectCallback = () => {}
  const targets = new Map<string, ConnectTarget>()
  const targetOf = (hostname: string): ConnectTarget => {
    const target = targets.get(hostname) ?? { secure: false, hostname, port: 80, hostPort: `${hostname}:80` }
    targets.set(hostname, target)
    return target
  }
  const open = (hostname: string) => strangers.open(targetOf(hostname), callback)
  const admit = (hostname: string) => strangers.admit(targetOf(hostname))
  return { open, admit, opened, cancelled }
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `host${index}`)

test('one at a time, in the order in which they were asked for', async () => {
  const { open, opened } = aStrangers()
  for (const name of names(5)) open(name)
  expect(opened).toEqual(['host0'])
  await new Promise((resolve) => setImmediate(resolve))
  expect(opened).toEqual(['host0'])
  await expect.poll(() => opened).toEqual(names(5))
})

test('the more wait, the more are opened at once, so that nobody waits for long', async () => {
  const { open, opened } = aStrangers()
  for (const name of names(1001)) open(name)
  const sizes = new Set<number>()
  let before = opened.length
  while (opened.length < 1001) {
    await new Promise((resolve) => setImmediate(resolve))
    if (opened.length > before) sizes.add(opened.length - before)
    before = opened.length
  }
  expect([...sizes]).toEqual([5, 4, 3, 2, 1])
  expect(opened).toEqual(names(1001))
})

test('of a receiver that has answered all are opened that wait', async () => {
  const { open, admit, opened } = aStrangers()
  for (const name of ['first', 'other', 'answers', 'other', 'answers']) open(name)
  admit('answers')
  expect(opened).toEqual(['first', 'answers', 'answers'])
  await expect.poll(() => opened).toEqual(['first', 'answers', 'answers', 'other', 'other'])
})

test('after a rest one is opened at once', async () => {
  const { open, opened } = aStrangers()
  open('first')
  await new Promise((resolve) => setTimeout(resolve, 20))
  open('second')
  expect(opened).toEqual(['first', 'second'])
})

test('what is cancelled while it waits is never opened, and later it is as without the wait', async () => {
  const { open, opened, cancelled } = aStrangers()
  open('first')
  const cancelWaiting = open('waiting')
  const cancelOpened = open('opened')
  cancelWaiting()
  await expect.poll(() => opened).toEqual(['first', 'opened'])
  cancelOpened()
  expect(cancelled).toEqual(['opened'])
})

const closing = 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok'
const strangers = 300

/** How many connections to strangers had been opened when the answer to one more request was there. */
async function openedBefore(sender: Sender, url: string): Promise<number> {
  const hanging = await aRawReceiver(() => {})
  const stop = new AbortController()
  const request = aRequest(hanging.url, { signal: stop.signal })
  const attempts = Array.from({ length: strangers }, () => sender.attempt(request))
  await sender.attempt(aRequest(url))
  const opened = hanging.connections()
  stop.abort()
  await Promise.all(attempts)
  return opened
}

test('who has answered waits behind no stranger, also when each answer closes its connection', async () => {
  const sender = aSender()
  const { url, connections } = await aRawReceiver(answering(closing))
  await responseFrom(sender, aRequest(url))
  expect(await openedBefore(sender, url)).toBeLessThan(strangers / 2)
  expect(connections()).toBe(2)
})

test.each([
  ['has never been asked', []],
  ['broke its last answer off', [closing, 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok']],
  ['sent no HTTP the last time', [closing, 'nonsense\r\n\r\n']],
  ['closed its last connection unanswered', [closing, '']],
])('who %s waits its turn', async (_, before) => {
  const sender = aSender()
  const answers = [...before, closing]
  const receiver = await aRawReceiver((socket) => {
    socket.once('data', () => socket.end(answers.shift() ?? ''))
  })
  for (const __ of before) await sender.attempt(aRequest(receiver.url))
  expect(await openedBefore(sender, receiver.url)).toBeGreaterThan(strangers / 2)
  expect(answers).toEqual([])
})
