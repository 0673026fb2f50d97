/**
 * The dashboard before a large store: 1 million deliveries that are over, 500 events a second that are published, how long
 * each page waits for what it asks for, and what an open dashboard costs those who publish.
 */

import { addEndpoint } from '../harness/admin-api.ts'
import { makePayload, steadyConnections } from '../harness/load-shape.ts'
import type { Remote } from '../harness/remote.ts'
import { median, percentile } from '../harness/statistics.ts'
import type { Part, PartContext } from '../part.ts'
import type { ClaimsCommands } from '../processes/claims.ts'
import type { DashboardCommands, PageReads } from '../processes/dashboard.ts'
import type { HttpLoadCommands } from '../processes/http-load.ts'
import type { OuthookServeCommands, Served } from '../processes/outhook-serve.ts'
import type { ReceiverCommands } from '../processes/receivers.ts'

export const dashboard: Part = { names: ['dashboard'], run: measureDashboard }

const topic = 'bench.live'
const storeName = 'dashboard'
const endpoints = 50
const perSecond = 500

interface Sizes {
  readonly deliveries: number
  readonly seconds: number
  readonly warmUpSeconds: number
}

const sizes: Sizes = { deliveries: 1_000_000, seconds: 20, warmUpSeconds: 10 }
const quickSizes: Sizes = { deliveries: 5_000, seconds: 2, warmUpSeconds: 1 }

async function measureDashboard(context: PartContext): Promise<void> {
  const outhook = await context.start<OuthookServeCommands>('outhook-serve', { profiled: true })
  try {
    await measureWith(context, outhook)
  } finally {
    await outhook.call('stop')
  }
}

interface Setting {
  readonly context: PartContext
  readonly receivers: Remote<ReceiverCommands>
  readonly load: Remote<HttpLoadCommands>
  readonly reader: Remote<DashboardCommands>
  readonly url: string
  readonly served: Served
  readonly sizes: Sizes
}

async function measureWith(context: PartContext, outhook: Remote<OuthookServeCommands>): Promise<void> {
  const { quick, say, longRuns } = context
  const used = quick ? quickSizes : sizes
  const receivers = await context.start<ReceiverCommands>('receivers')
  const [receiverPort = 0] = await receivers.call('listen', { count: 1, stamps: true })
  const receiverUrl = `http://127.0.0.1:${receiverPort}/hook`
  await fill(context, outhook, { receiverUrl, deliveries: used.deliveries })
  const store = await context.stores.store(storeName)
  const served = await outhook.call('start', { ...store, receiverUrl, topic })
  const url = `http://127.0.0.1:${served.port}`
  const reader = await context.start<DashboardCommands>('dashboard')
  const load = await context.start<HttpLoadCommands>('http-load')
  const setting = { context, receivers, load, reader, url, served, sizes: used }
  await publish(setting, used.warmUpSeconds)
  const pages = await reader.call('findReads', url)
  if (pages === null) return say('left out: no Chromium is on this machine')
  for (const { name, asks } of pages) say(`${name}: ${asks.length} requests`)
  addFirstView(context, pages)
  for (let run = 0; run < longRuns; run++) {
    await measurePages(setting, pages)
    await measurePublishing(setting, pages)
  }
}

/** Endpoints are made by the server, which knows how to seal their secrets; deliveries go past it, which takes a tenth of the time. */
async function fill(
  context: PartContext,
  outhook: Remote<OuthookServeCommands>,
  { receiverUrl, deliveries }: { readonly receiverUrl: string; readonly deliveries: number },
): Promise<void> {
  const store = await context.stores.store(storeName)
  const { port } = await outhook.call('start', { ...store, receiverUrl, topic: 'bench.history.0' })
  for (let nth = 1; nth < endpoints; nth++) {
    await addEndpoint(`http://127.0.0.1:${port}`, { url: receiverUrl, topics: [`bench.history.${nth}`] })
  }
  await outhook.call('stop')
  context.say(`filling a store with ${deliveries} deliveries`)
  const filler = await context.start<ClaimsCommands>('claims')
  // One command takes no longer than ten minutes.
  const slice = 100_000
  for (let at = 0; at < deliveries; at += slice) {
    await filler.call('fillHistory', { url: store.store, deliveries: Math.min(slice, deliveries - at) })
  }
  await filler.stop()
}

/** The milliseconds from each publish to its arrival. */
async function publish({ receivers, load, served }: Setting, seconds: number): Promise<readonly number[]> {
  await receivers.call('reset')
  await load.call('stream', {
    port: served.port,
    path: '/v1/events',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${served.key}` },
    body: JSON.stringify({ topic, payload: makePayload(1) }),
    connections: steadyConnections,
    expectStatus: 202,
    perSecond,
    seconds,
  })
  await receivers.call('waitFor', perSecond * seconds)
  return receivers.call('latencies')
}

function addFirstView({ series, say }: PartContext, pages: readonly PageReads[]): void {
  const times = pages.map(({ shownMs }) => shownMs)
  series.add('dashboard, first view in Chromium, ms', times[0] ?? Number.NaN)
  series.add('dashboard, a page in Chromium, median ms', median(times))
  say(`first view ${(times[0] ?? Number.NaN).toFixed(0)} ms, a page ${median(times).toFixed(0)} ms`)
}

async function measurePages(setting: Setting, pages: readonly PageReads[]): Promise<void> {
  const { context, reader, url, sizes } = setting
  const [times] = await Promise.all([
    reader.call('time', { url, pages, seconds: sizes.seconds }),
    publish(setting, sizes.seconds),
  ])
  let worst = 0
  for (const [name, all] of Object.entries(times)) {
    const p95 = percentile(all, 95)
    worst = Math.max(worst, p95)
    context.series.add(`dashboard, what page ${name} asks for, p95 in ms`, p95)
    context.say(`${name}: p50 ${percentile(all, 50).toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`)
  }
  context.series.add('dashboard, what the slowest page asks for, p95 in ms', worst)
}

async function measurePublishing(setting: Setting, pages: readonly PageReads[]): Promise<void> {
  const { context, reader, url, sizes } = setting
  const without = percentile(await publish(setting, sizes.seconds), 99)
  await reader.call('watch', { url, pages: pages.slice(0, 1) })
  const beside = percentile(await publish(setting, sizes.seconds), 99)
  await reader.call('unwatch')
  context.series.add('dashboard, publish to arrival, p99 in ms without it', without)
  context.series.add('dashboard, publish to arrival, p99 in ms beside an open one', beside)
  context.series.add(
    'dashboard, publish to arrival, p99 beside an open one over p99 without',
    beside / without,
  )
  context.say(`publish to arrival, p99: ${without.toFixed(2)} ms without, ${beside.toFixed(2)} ms beside it`)
}
