/** Connections are opened a few per turn of the event loop. */
import { expect, test } from 'vitest'
import type { ConnectCallback } from '../../src/sender/connector.ts'
import { PacedConnector } from '../../src/sender/paced-connector.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Notes what is opened and what is cancelled. */
function aPaced() {
  const opened: string[] = []
  const cancelled: string[] = []
  const paced = new PacedConnector({
    open({ hostname }) {
      opened.push(hostname)
      return () => void cancelled.push(hostname)
    },
  })
  const callback: ConnectCallback = () => {}
  const open = (hostname: string) =>
    paced.open({ secure: false, hostname, port: 80, hostPort: `${hostname}:80` }, callback)
  return { open, opened, cancelled }
}

test('four in a turn, and the others in the next ones, in the order in which they were asked for', async () => {
  const { open, opened } = aPaced()
  const names = Array.from({ length: 11 }, (_, index) => `host${index}`)
  for (const name of names) open(name)
  expect(opened).toEqual(names.slice(0, 4))
  await turn()
  expect(opened).toEqual(names.slice(0, 8))
  open('late')
  await turn()
  await turn()
  expect(opened).toEqual([...names, 'late'])
})

test('after a rest one is opened at once', async () => {
  const { open, opened } = aPaced()
  open('first')
  await turn()
  await turn()
  open('second')
  expect(opened).toEqual(['first', 'second'])
})

test('what is cancelled while it waits is never opened, and later it is as without the wait', async () => {
  const { open, opened, cancelled } = aPaced()
  for (let index = 0; index < 4; index++) open(`host${index}`)
  const cancelWaiting = open('waiting')
  const cancelOpened = open('opened')
  cancelWaiting()
  await turn()
  await turn()
  expect(opened).toEqual(['host0', 'host1', 'host2', 'host3', 'opened'])
  cancelOpened()
  expect(cancelled).toEqual(['opened'])
})
