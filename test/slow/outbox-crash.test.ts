/** Programs and relays that are killed at any moment: no event is lost, and none is made twice. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { Outhook } from '../../src/index.ts'
import { aReceiver } from '../delivery/an-app.ts'
import { openProgramFile } from '../library/a-program-file.ts'
import { patienceMs } from '../patience.ts'
import { sourceFlags } from '../source-flags.ts'
import { aDirectory } from './server-process.ts'

interface Child {
  readonly lines: readonly string[]
  kill(): Promise<void>
}

function start(module: string, args: readonly string[]): Child {
  const script = fileURLToPath(new URL(`./${module}.ts`, import.meta.url))
  const child: ChildProcess = spawn(process.execPath, [...sourceFlags, script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  })
  const ended = once(child, 'close')
  const lines: string[] = []
  if (child.stdout === null) throw new Error('it has no standard output')
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  onTestFinished(kill)
  return { lines, kill }
}

async function aProgram() {
  const directory = aDirectory()
  const app = openProgramFile(join(directory, 'app.db'))
  onTestFinished(() => app.db.close())
  const store = `sqlite:${join(directory, 'hooks.db')}`
  const receiver = await aReceiver({ keepRequests: 100_000 })
  const open = async (outboxes: readonly string[] = [`sqlite:${app.path}`]) => {
    const hooks = await Outhook.open({
      store,
      masterKey: 'ab'.repeat(32),
      allowHttp: true,
      allowNetworks: ['127.0.0.0/8'],
      outboxes,
    })
    onTestFinished(() => hooks.close())
    return hooks
  }
  const first = await open([])
  await first.endpoints.create({ url: `${receiver.url}/hook`, topics: ['*'] })
  await first.close()
  /** Of each order whose event arrived, how often, and under which ids. */
  const arrived = () => {
    const orders = receiver.received.map(({ body }) => JSON.parse(Buffer.from(body).toString()).id as string)
    const events = receiver.received.map(({ eventId }) => eventId)
    return { orders: orders.toSorted(), events: new Set(events).size }
  }
  const committed = () =>
    app.db
      .prepare("select id from orders where id not like '%-part' order by id")
      .all()
      .map(({ id }) => id as string)
      .toSorted()
  return { app, store, open, arrived, committed }
}

const lines = (child: Child) => expect.poll(() => child.lines.length, { timeout: patienceMs })

test('a program that is killed in the middle of its transactions has an event for each order that was committed, and no other', async () => {
  const { app, open, arrived, committed } = await aProgram()
  await open()
  for (let round = 0; round < 3; round++) {
    const writer = start('outbox-writer-child', [app.path, `r${round}`])
    await lines(writer).toBeGreaterThan(40 + 13 * round)
    await writer.kill()
  }
  const orders = committed()
  expect(orders.length).toBeGreaterThan(150)
  await expect.poll(() => arrived().orders.length, { timeout: patienceMs }).toBe(orders.length)
  expect(arrived().orders).toEqual(orders)
  expect(arrived().events).toBe(orders.length)
  await expect.poll(() => app.count()).toBe(0)
})

test('a relay that is killed between publishing and removing loses nothing, and what is published again is no second event', async () => {
  const { app, store, open, arrived } = await aProgram()
  app.db.exec('begin immediate')
  for (let n = 100; n < 300; n++) app.insert({ topic: 'orders.created', payload: `{"id":"o_${n}"}` })
  app.db.exec('commit')
  for (let death = 0; death < 2; death++) {
    const relay = start('outbox-relay-child', [app.path, store, 'hold'])
    await expect.poll(() => relay.lines, { timeout: patienceMs }).toContain('published 200')
    await relay.kill()
    // It has published them, and removed none.
    expect(app.count()).toBe(200)
  }
  await open()
  await expect.poll(() => app.count(), { timeout: patienceMs }).toBe(0)
  await expect.poll(() => arrived().orders.length, { timeout: patienceMs }).toBe(200)
  const wanted = Array.from({ length: 200 }, (_, n) => `o_${n + 100}`)
  expect(arrived()).toEqual({ orders: wanted, events: 200 })
})

test('relays that are killed at any moment while a program writes make one event of each row', async () => {
  const { app, store, open, arrived, committed } = await aProgram()
  const writer = start('outbox-writer-child', [app.path, 'w'])
  for (let death = 0; death < 3; death++) {
    const relay = start('outbox-relay-child', [app.path, store])
    // One more each time: a kill comes while another batch is published or removed.
    await lines(relay).toBeGreaterThan(1 + death)
    await relay.kill()
  }
  await writer.kill()
  await open()
  const orders = committed()
  expect(orders.length).toBeGreaterThan(20)
  await expect.poll(() => arrived().orders.length, { timeout: patienceMs }).toBe(orders.length)
  expect(arrived().orders).toEqual(orders)
  expect(arrived().events).toBe(orders.length)
})
