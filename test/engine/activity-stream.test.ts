import { describe, expect, test } from 'vitest'
import type { StreamItem, StreamMissed } from '../../src/core/stream-item.ts'
import { ActivityStream } from '../../src/engine/activity-stream.ts'
import { packMessages } from '../../src/engine/stream-tellers.ts'
import { maxStreamMessageBytes } from '../../src/store/port.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

type Told = StreamItem | StreamMissed

const aTenantId = 'ten_a'

function anItem(more: Partial<StreamItem> = {}): StreamItem {
  const endpoint = { kind: 'endpoint', at: 0, tenantId: aTenantId, endpointId: 'ep_1', change: 'changed' }
  return { ...endpoint, reason: null, ...more } as StreamItem
}

/** Two processes, which hear each other at once. */
function twoProcesses() {
  const clock = createManualClock()
  const sent: string[] = []
  const state = { isConnected: true }
  const one: ActivityStream = new ActivityStream({
    clock,
    relay: { ask: (tenants) => two.asked(tenants), tell: () => true },
  })
  const two: ActivityStream = new ActivityStream({
    clock,
    relay: {
      ask: (tenants) => one.asked(tenants),
      tell(messages) {
        if (!state.isConnected) return false
        sent.push(...messages)
        for (const message of messages) one.heard(message)
        return true
      },
    },
  })
  return { clock, one, two, sent, state }
}

function read(stream: ActivityStream, tenantId: string | null = null) {
  const told: Told[] = []
  const stop = stream.read({ tenantId }, { take: (items) => void told.push(...items), end: () => undefined })
  return { told, stop }
}

describe('a process', () => {
  test('tells another what happens while that one has readers, and for fifteen seconds more', async () => {
    const { clock, one, two, sent } = twoProcesses()
    two.tell(anItem())
    await clock.advance(1000)
    expect([sent, two.isWanted]).toEqual([[], false])
    const { told, stop } = read(one)
    expect(two.isWanted).toBe(true)
    two.tell(anItem())
    await clock.advance(1000)
    expect(told).toEqual([anItem()])
    await clock.advance(60_000)
    expect(two.isWanted).toBe(true)
    stop()
    await clock.advance(30_000)
    expect([one.isWanted, two.isWanted]).toEqual([false, false])
    two.tell(anItem())
    await clock.advance(1000)
    expect(sent).toHaveLength(1)
  })

  test('tells only what is of the tenants that are asked for', async () => {
    const { clock, one, two } = twoProcesses()
    const { told } = read(one, aTenantId)
    two.tell(anItem({ tenantId: 'ten_b' }))
    two.tell(anItem())
    await clock.advance(1000)
    expect(told.map((item) => 'tenantId' in item && item.tenantId)).toEqual([aTenantId])
  })

  test('tells so much at a time, and counts the rest', async () => {
    const { clock, one, two, sent } = twoProcesses()
    const { told } = read(one)
    for (let count = 0; count < 2000; count++) two.tell(anItem())
    await clock.advance(100)
    expect(sent.every((message) => Buffer.byteLength(message) <= maxStreamMessageBytes)).toBe(true)
    const bytes = sent.reduce((sum, message) => sum + message.length, 0)
    expect(bytes).toBeLessThan(9 * maxStreamMessageBytes)
    await clock.advance(100)
    const missed = told.filter(({ kind }) => kind === 'missed') as StreamMissed[]
    const told2 = told.length - missed.length
    expect(missed.reduce((sum, { count }) => sum + (count ?? 0), told2)).toBe(2000)
    expect(new Set(missed.map(({ reason }) => reason))).toEqual(new Set(['other_process', 'too_many']))
  })

  test('tells later what it could not send at once, and counts what there is no room for', async () => {
    const { clock, one, two, state } = twoProcesses()
    const { told } = read(one)
    state.isConnected = false
    for (let count = 0; count < 1000; count++) two.tell(anItem())
    await clock.advance(1000)
    expect(told).toEqual([])
    state.isConnected = true
    await clock.advance(1000)
    expect(told[0]).toEqual(anItem())
    const missed = told.filter(({ kind }) => kind === 'missed') as StreamMissed[]
    expect(missed.map(({ reason }) => reason)).toEqual(['too_many', 'other_process'])
    const items = told.length - missed.length
    expect(missed.reduce((sum, { count }) => sum + (count ?? 0), items)).toBe(1000)
  })

  test('says that something may be missing when it was not connected', async () => {
    const { clock, one } = twoProcesses()
    const { told } = read(one)
    one.gap()
    await clock.advance(1000)
    expect(told).toMatchObject([{ kind: 'missed', reason: 'other_process', count: null }])
  })

  test('hears nothing that it does not know', async () => {
    const { clock, one } = twoProcesses()
    const { told } = read(one)
    for (const message of [
      'no JSON',
      '{}',
      '[null,1,{"kind":"newer","at":1,"tenantId":"a"}]',
      '[{"kind":"job"}]',
    ])
      one.heard(message)
    await clock.advance(1000)
    expect(told).toEqual([])
  })
})

describe('a reader', () => {
  test('is told what it was not told, in the order in which it was', async () => {
    const clock = createManualClock()
    const stream = new ActivityStream({ clock, relay: null })
    const told: Told[] = []
    stream.read({ tenantId: null }, { take: (items) => void told.push(...items), end: () => undefined }, true)
    for (let count = 0; count < 150; count++) stream.tell(anItem())
    await clock.advance(100)
    expect(told[0]).toMatchObject({ kind: 'missed', reason: 'reconnected', count: null })
    expect(told.slice(1, -1)).toHaveLength(100)
    expect(told.at(-1)).toMatchObject({ kind: 'missed', reason: 'too_many', count: 50 })
  })

  test('is refused where the process has 256, and told when it stops', () => {
    const stream = new ActivityStream({ clock: createManualClock(), relay: null })
    let ended = 0
    const add = () => stream.read({ tenantId: null }, { take: () => undefined, end: () => void ended++ })
    const [stop] = Array.from({ length: 256 }, add)
    const refusal = expect.objectContaining({ code: 'overloaded', status: 503, retryAfterSeconds: 10 })
    expect(add).toThrow(refusal)
    stop?.()
    add()
    stream.close()
    expect(ended).toBe(256)
    expect(add).toThrow(expect.objectContaining({ code: 'shutting_down' }))
  })
})

test('messages between processes are lists of JSON of a bounded length', () => {
  const texts = Array.from({ length: 500 }, (_, index) => JSON.stringify({ text: 'ä'.repeat(index) }))
  const messages = packMessages([...texts, JSON.stringify('x'.repeat(maxStreamMessageBytes))])
  expect(messages.flatMap((message) => JSON.parse(message))).toEqual(texts.map((text) => JSON.parse(text)))
  for (const message of messages)
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(maxStreamMessageBytes)
})
