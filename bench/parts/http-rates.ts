/**
 * What a delivery costs at rates far below what the engine can do: `outhook serve`, on PostgreSQL with its database,
 * beside a relay that stores nothing, and on SQLite beside the barest ones that store as durably. In turns at each
 * rate, then the server and the bare relay at once with nothing to do.
 */
import { findDatabaseProcess } from '../harness/database-process.ts'
import { makePayload, steadyConnections } from '../harness/load-shape.ts'
import { canMeterProcesses, meterProcess } from '../harness/process-cpu.ts'
import type { Remote } from '../harness/remote.ts'
import { percentile } from '../harness/statistics.ts'
import type { SteadyRate } from '../harness/steady-rate.ts'
import type { Part, PartContext } from '../part.ts'
import type { HttpLoadCommands } from '../processes/http-load.ts'
import type { OuthookServeCommands } from '../processes/outhook-serve.ts'
import type { ReceiverCommands } from '../processes/receivers.ts'
import type { RelayCommands, RelayKind } from '../processes/relay.ts'

export const httpRates: Part = { names: ['http-rates', 'idle'], run: measureHttpRates }

const rates = [100, 500, 1000, 2000]
const topic = 'bench.http'
const storeName = 'http-rates'
/** From the arrival of the last request until its outcome is recorded, and the commit and its writers are done. */
const settleMs = 250

interface Times {
  /** As many requests as undici needs until it is warm. */
  readonly warmUp: SteadyRate
  readonly seconds: number
  /** Before the idle ones are measured: longer than undici keeps a connection that nothing uses. */
  readonly restMs: number
  readonly idleMs: number
}

const times: Times = { warmUp: { perSecond: 2000, seconds: 20 }, seconds: 8, restMs: 6000, idleMs: 10_000 }
const quickTimes: Times = { warmUp: { perSecond: 500, seconds: 1 }, seconds: 1, restMs: 200, idleMs: 1000 }

/** Who takes the requests. */
interface Side {
  readonly pid: number
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

interface Setting {
  readonly context: PartContext
  readonly receivers: Remote<ReceiverCommands>
  readonly load: Remote<HttpLoadCommands>
  readonly relay: Side
  /** Relays that store: on SQLite alone. */
  readonly durable: readonly { readonly words: string; readonly side: Side }[]
  readonly server: Side
  /** Null on SQLite. */
  readonly databasePid: number | null
  readonly times: Times
}

async function measureHttpRates(context: PartContext): Promise<void> {
  if (!canMeterProcesses()) {
    context.say('left out: the CPU of other processes is read from /proc/PID/schedstat, which is not here')
    return
  }
  const outhook = await context.start<OuthookServeCommands>('outhook-serve', { profiled: true })
  try {
    const setting = await prepare(context, outhook)
    if (setting !== null) await measureAll(setting)
  } finally {
    await outhook.call('stop')
  }
}

/** Null when the database's processes cannot be seen from here. */
async function prepare(context: PartContext, outhook: Remote<OuthookServeCommands>): Promise<Setting | null> {
  const { stores, quick } = context
  const receivers = await context.start<ReceiverCommands>('receivers')
  const load = await context.start<HttpLoadCommands>('http-load')
  const [receiverPort = 0] = await receivers.call('listen', { count: 1, stamps: true })
  const store = await stores.store(storeName)
  const databasePid = stores.server === null ? null : await findDatabaseProcess(stores.server, storeName)
  if (databasePid === null && stores.server !== null) {
    context.say('left out: the database runs on another machine or in a container, where its CPU is not seen')
    return null
  }
  const receiverUrl = `http://127.0.0.1:${receiverPort}/hook`
  const { key, ...served } = await outhook.call('start', { ...store, receiverUrl, topic })
  const headers = { 'content-type': 'application/json' }
  const startRelay = async (kind: RelayKind): Promise<Side> => {
    const remote = await context.start<RelayCommands>('relay')
    return { ...(await remote.call('listen', { receiverPort, kind })), path: '/', headers }
  }
  return {
    context,
    receivers,
    load,
    relay: await startRelay('bare'),
    durable:
      stores.server === null
        ? [
            { words: 'a durable relay', side: await startRelay('durable') },
            {
              words: 'a durable relay that commits on its main thread',
              side: await startRelay('durable inline'),
            },
          ]
        : [],
    server: { ...served, path: '/v1/events', headers: { ...headers, authorization: `Bearer ${key}` } },
    databasePid,
    times: quick ? quickTimes : times,
  }
}

async function measureAll(setting: Setting): Promise<void> {
  const { context, relay, durable, server, times } = setting
  context.say('warming up')
  for (const side of [relay, ...durable.map((one) => one.side), server])
    await send(setting, side, times.warmUp)
  for (let run = 0; run < context.longRuns; run++) {
    for (const perSecond of rates) await measureRate(setting, perSecond)
    await measureIdle(setting)
  }
}

/** Resolves with the ms from each publish to its arrival, once all outcomes are recorded. */
async function send({ receivers, load }: Setting, side: Side, rate: SteadyRate): Promise<readonly number[]> {
  await receivers.call('reset')
  await load.call('stream', {
    ...side,
    ...rate,
    body: JSON.stringify({ topic, payload: makePayload(1) }),
    connections: steadyConnections,
    expectStatus: 202,
  })
  await receivers.call('waitFor', rate.perSecond * rate.seconds)
  await wait(settleMs)
  return receivers.call('latencies')
}

async function measureRate(setting: Setting, perSecond: number): Promise<void> {
  const { context, relay, durable, server, databasePid, times } = setting
  const { series, say } = context
  const rate = { perSecond, seconds: times.seconds }
  const count = perSecond * times.seconds

  const relaySpent = meterProcess(relay.pid)
  const relayLatencies = await send(setting, relay, rate)
  const bare = relaySpent().cpuMicros / count
  const serverSpent = meterProcess(server.pid)
  const databaseSpent = databasePid === null ? null : meterProcess(databasePid)
  const latencies = await send(setting, server, rate)
  const { cpuMicros, threadMicros } = serverSpent()
  const database = (databaseSpent?.().cpuMicros ?? 0) / count
  const all = cpuMicros / count + database

  const name = `over HTTP at ${perSecond} events per second`
  series.add(`${name}, CPU µs of a bare relay per request`, bare)
  for (const { words, side } of durable) {
    const spent = meterProcess(side.pid)
    await send(setting, side, rate)
    const micros = spent().cpuMicros / count
    series.add(`${name}, CPU µs of ${words} per request`, micros)
    series.add(`${name}, CPU of ${words} over that of a bare relay`, micros / bare)
    series.add(`${name}, CPU per delivery over that of ${words}`, all / micros)
    say(`${perSecond}/s: ${words} ${micros.toFixed(0)} µs (${(micros / bare).toFixed(2)} times the bare one)`)
  }
  series.add(`${name}, CPU µs per delivery`, all)
  series.add(`${name}, CPU µs of the main thread per delivery`, threadMicros / count)
  if (databasePid !== null) series.add(`${name}, CPU µs of the database per delivery`, database)
  series.add(`${name}, CPU per delivery over that of a bare relay per request`, all / bare)
  for (const percent of [50, 99]) {
    series.add(
      `${name}, publish to arrival through a bare relay, p${percent} in ms`,
      percentile(relayLatencies, percent),
    )
    series.add(`${name}, publish to arrival, p${percent} in ms`, percentile(latencies, percent))
  }
  say(
    `${perSecond}/s: relay ${bare.toFixed(0)} µs, outhook ${all.toFixed(0)} µs (${(all / bare).toFixed(1)} times), ` +
      `p50 ${percentile(latencies, 50).toFixed(2)} ms, p99 ${percentile(latencies, 99).toFixed(2)} ms`,
  )
}

async function measureIdle({ context, relay, server, databasePid, times }: Setting): Promise<void> {
  await wait(times.restMs)
  const meters = [
    { words: 'a bare relay', spent: meterProcess(relay.pid) },
    { words: "the server's process", spent: meterProcess(server.pid) },
    ...(databasePid === null ? [] : [{ words: 'the database', spent: meterProcess(databasePid) }]),
  ]
  await wait(times.idleMs)
  for (const { words, spent } of meters) {
    const { cpuMicros, wallMs } = spent()
    const percentOfCore = cpuMicros / wallMs / 10
    context.series.add(`idle, CPU of ${words} in % of a core`, percentOfCore)
    context.say(`idle: ${words} ${percentOfCore.toFixed(2)} % of a core`)
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
