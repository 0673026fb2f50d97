/** Durable ingest over HTTP beside a bare `node:http` server that stores nothing, and the barest durable one, in turns. */
import { ingestConnections, makePayload } from '../harness/load-shape.ts'
import type { Part, PartContext } from '../part.ts'
import type { BareServerCommands } from '../processes/bare-server.ts'
import type { HttpLoadCommands } from '../processes/http-load.ts'
import type { ServerCommands } from '../processes/server.ts'

export const httpIngest: Part = { names: ['http-ingest'], run: measureIngest }

async function measureIngest(context: PartContext): Promise<void> {
  const { series, quick, runs, stores } = context
  const count = quick ? 2000 : 30_000
  const load = await context.start<HttpLoadCommands>('http-load')
  const bare = await context.start<BareServerCommands>('bare-server')
  const barestDurable = await context.start<BareServerCommands>('bare-server')
  const server = await context.start<ServerCommands>('server', { profiled: true })
  const { port, key } = await server.call('listen', await stores.store('ingest'))
  const barePort = await bare.call('listen', 'bare')
  const barestPort = await barestDurable.call('listen', 'durable')
  const post = (toPort: number) =>
    load.call('post', {
      port: toPort,
      path: '/v1/events',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ topic: 'bench.ingest', payload: makePayload(1) }),
      connections: ingestConnections,
      count,
      expectStatus: 202,
    })
  await post(barePort)
  await post(barestPort)
  await post(port)
  for (let run = 0; run < runs; run++) {
    await bare.call('startMeter')
    const reference = await post(barePort)
    const bareCpu = await bare.call('stopMeter')
    await barestDurable.call('startMeter')
    const barest = await post(barestPort)
    const barestCpu = await barestDurable.call('stopMeter')
    await server.call('startMeter')
    const durable = await post(port)
    const serverCpu = await server.call('stopMeter')
    series.add('bare node:http server, requests per second', (count * 1000) / reference.wallMs)
    series.add('bare node:http server, CPU µs per request', bareCpu.cpuMicros / count)
    series.add('durable HTTP ingest, events per second', (count * 1000) / durable.wallMs)
    series.add('durable HTTP ingest, CPU µs per event', serverCpu.cpuMicros / count)
    series.add(
      'durable HTTP ingest, events per second over requests per second of a bare node:http server',
      reference.wallMs / durable.wallMs,
    )
    series.add('barest durable HTTP server, CPU µs per request', barestCpu.cpuMicros / count)
    series.add(
      'barest durable HTTP server, requests per second over those of a bare node:http server',
      reference.wallMs / barest.wallMs,
    )
    series.add(
      'durable HTTP ingest, events per second over those of the barest durable HTTP server',
      barest.wallMs / durable.wallMs,
    )
    context.say(
      `bare ${((count * 1000) / reference.wallMs).toFixed(0)}/s, ` +
        `barest durable ${((count * 1000) / barest.wallMs).toFixed(0)}/s, ` +
        `durable ${((count * 1000) / durable.wallMs).toFixed(0)}/s ${(serverCpu.cpuMicros / count).toFixed(1)} µs`,
    )
  }
  await server.call('close')
}
