import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { expect, test } from 'vitest'
import { Outhook } from '../../src/index.ts'
import { anHttpServer } from '../delivery/an-app.ts'
import { testedServers } from '../servers/postgres.ts'
test('debug', async () => {
  const server = await (testedServers().at(-1) as any).start()
  const store = `${server.url}?schema=dbg`
  const open = () => Outhook.open({ store, logger: new Proxy({}, { get: (_t, k) => (...a: any[]) => { if (k === 'warn' || k === 'error') console.log('LOG', k, a[1], String(a[0]?.err?.message ?? '').slice(0,300)) } }) as any, masterKey: 'ab'.repeat(32), allowHttp: true, allowNetworks: ['127.0.0.0/8'] })
  const programs = [await open(), await open(), await open()]
  const counts = [0, 0, 0]
  programs.forEach((p, i) => p.on('attempt', () => counts[i]++))
  const url = await anHttpServer((q, r) => { q.resume().on('end', async () => { await delay(20); r.writeHead(204).end() }) })
  await programs[0]!.endpoints.create({ url, topics: ['*'], maxInFlight: 5 })
  const c = new pg.Client({ connectionString: server.url }); await c.connect()
  const end = Date.now() + 12000
  let stop = false
  const dump = (async () => { while (!stop) { const { rows } = await c.query(`select left(s.node_id::text,4) n, s.slots, s.wants_until - (extract(epoch from now())*1000)::bigint as w from dbg.endpoint_shares s order by 1`); const q = await c.query(`select count(*) from dbg.live_deliveries where state <> 'in_flight'`); console.log(JSON.stringify(rows), counts.join(), q.rows[0].count); await delay(500) } })()
  while (Date.now() < end) { await Promise.all(Array.from({ length: 60 }, (_, n) => programs[n % 3]!.publish({ topic: 'a', payload: n }))); await delay(250) }
  stop = true; await dump
  await Promise.all(programs.map((p) => p.close())); await c.end(); await server.stop()
}, 60000)
