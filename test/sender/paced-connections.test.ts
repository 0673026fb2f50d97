/** Connections are opened a few at a time, and slowly to receivers that have not yet answered. */
import { expect, test } from 'vitest'
import type { ConnectCallback, ConnectTarget } from '../../src/sender/connector.ts'
import { type Pace, PacedConnector, strangerPace, turnPace } from '../../src/sender/paced-connector.ts'
import type { Sender } from '../../src/sender/port.ts'
import { answering, aRawReceiver, aRequest, aSender, responseFrom } from './raw-receiver.ts'

/** Notes what is opened and what is cancelled. */
function aPaced(pace: Pace) {
  const opened: string[] = []
  const cancelled: string[] = []
  const paced = new PacedConnector(
    {
      open({ hostname }) {
        opened.push(hostname)
        return () => void cancelled.push(hostname)
      },
    },
    pace,
  )
  const callback: ConnectCallback = () => {}
  const targets = new Map<string, ConnectTarget>()
  const targetOf = (hostname: string): ConnectTarget => {
    const target = targets.get(hostname) ?? { secure: false, hostname, port: 80, hostPort: `${hostname}:80` }
    targets.set(hostname, target)
    return target
  }
  const open = (hostname: string) => paced.open(targetOf(hostname), callback)
  const admit = (hostname: string) => paced.admit(targetOf(hostname))
  return { open, admit, opened, cancelled }
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `host${index}`)

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('four in a turn, and the others in the next ones, in the order in which they were asked for', async () => {
  const { open, opened } = aPaced(turnPace)
  for (const name of names(11)) open(name)
  expect(opened).toEqual(names(4))
  await turn()
  expect(opened).toEqual(names(8))
  open('late')
  await turn()
  await turn()
  expect(opened).toEqual([...names(11), 'late'])
})

test('to strangers one at a time, in the order in which they were asked for', async () => {
  const { open, opened } = aPaced(strangerPace)
  for (const name of names(5)) open(name)
  expect(opened).toEqual(['host0'])
  await new Promise((resolve) => setImmediate(resolve))
  expect(opened).toEqual(['host0'])
  await expect.poll(() => opened).toEqual(names(5))
})

test('the more wait for strangers, the more are opened at once, so that nobody waits for long', async () => {
  const { open, opened } = aPaced(strangerPace)
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
  const { open, admit, opened } = aPaced(strangerPace)
  for (const name of ['first', 'other', 'answers', 'other', 'answers']) open(name)
  admit('answers')
  expect(opened).toEqual(['first', 'answers', 'answers'])
  await expect.poll(() => opened).toEqual(['first', 'answers', 'answers', 'other', 'other'])
})

const paces = [
  ['of all', turnPace],
  ['of strangers', strangerPace],
] as const

test.each(paces)('at the pace %s one is opened at once after a rest', async (_, pace) => {
  const { open, opened } = aPaced(pace)
  open('first')
  await new Promise((resolve) => setTimeout(resolve, 20))
  open('second')
  expect(opened).toEqual(['first', 'second'])
})

test.each(paces)(
  'at the pace %s what is cancelled while it waits is never opened, and later it is as without the wait',
  async (_, pace) => {
    const { open, opened, cancelled } = aPaced(pace)
    const first = names(pace.together(0))
    for (const name of first) open(name)
    const cancelWaiting = open('waiting')
    const cancelOpened = open('opened')
    cancelWaiting()
    await expect.poll(() => opened).toEqual([...first, 'opened'])
    cancelOpened()
    expect(cancelled).toEqual(['opened'])
  },
)

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
