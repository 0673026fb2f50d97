/**
 * What the figures over time cost a delivery, in two ways. The functions that count, with the statements that they run,
 * by a CPU profile, over the CPU of the same engine: this is steady, and leaves out what they make a commit and the garbage
 * collector do, and the database's server. And the engine as it is beside one that counts nothing, in turns, each with a
 * store of its own: this has all of it, and differs by several percent from pair to pair. What is left to fold is folded
 * within the time that is measured.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findDatabaseProcess } from '../harness/database-process.ts'
import { publishCallers } from '../harness/load-shape.ts'
import { meterProcess } from '../harness/process-cpu.ts'
import { profiledMicros } from '../harness/profiled-time.ts'
import type { Remote } from '../harness/remote.ts'
import { makeUncountedBuild } from '../harness/uncounted-build.ts'
import type { Part, PartContext } from '../part.ts'
import type { EngineCommands } from '../processes/engine.ts'
import type { ReceiverCommands } from '../processes/receivers.ts'

export const counts: Part = { names: ['counts'], run: measureCounts }

const endpoints = 8
/** A fold comes every five seconds at most. */
const foldedWithinMs = 5500
/** A pair differs by a tenth for no reason at all, five times what is looked for. */
const pairsPerRun = 2

interface Side {
  readonly name: string
  readonly engine: Remote<EngineCommands>
}

interface Measured {
  readonly count: number
  readonly topics: readonly string[]
  /** Null: there is none, or it is not on this machine. */
  readonly databasePid: number | null
}

async function measureCounts(context: PartContext): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'outhook-uncounted-'))
  try {
    await measureFunctions(context, mkdtempSync(join(directory, 'profiles-')))
    await measureBoth(context, makeUncountedBuild(directory))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const counters = /\/(stat-deltas|stat-cells|fold-stats|core\/stats\/[a-z]+)\.js$/

async function measureFunctions(context: PartContext, profileDir: string): Promise<void> {
  const { quick, runs, series, say } = context
  const count = quick ? 3000 : 30_000
  const rounds = quick ? 2 : 1 + runs
  const receivers = await context.start<ReceiverCommands>('receivers')
  const ports = await receivers.call('listen', { count: endpoints })
  const side = await openSide(context, ports, { name: 'counts-profiled', profileDir })
  const topics = ports.map((_, index) => topicOf(index))
  let micros = 0
  for (let round = 0; round < rounds; round++) {
    micros += await measureOne(side, { count, topics, databasePid: null })
  }
  await side.engine.call('close')
  await side.engine.stop()
  await receivers.stop()
  const counting = profiledMicros(profileDir, counters) / count
  series.add('figures over time, µs of the functions that count per delivery', counting / rounds)
  series.add(
    'figures over time, % of the CPU of a delivery in the functions that count',
    (100 * counting) / micros,
  )
  say(`${(counting / rounds).toFixed(2)} µs of ${(micros / rounds).toFixed(2)} in the functions that count`)
}

async function measureBoth(context: PartContext, uncounted: string): Promise<void> {
  const { quick, runs, series, say, stores } = context
  const receivers = await context.start<ReceiverCommands>('receivers')
  const ports = await receivers.call('listen', { count: endpoints })
  const topics = ports.map((_, index) => topicOf(index))
  for (let run = 0; run < Math.max(2, runs); run++) {
    // The engine that starts second takes less, though both be the same: 0.93 times, six pairs. So each is it by turns.
    const isFirst = run % 2 === 0
    const open = (counts: boolean) =>
      openSide(
        context,
        ports,
        counts ? { name: `counts-${run}` } : { name: `uncounted-${run}`, dist: uncounted },
      )
    const [first, second] = [await open(isFirst), await open(!isFirst)]
    const [counting, bare] = isFirst ? [first, second] : [second, first]
    const databasePid =
      stores.server === null ? null : await findDatabaseProcess(stores.server, `counts-${run}`)
    const measured = { count: quick ? 3000 : 30_000, topics, databasePid }
    say('warming up')
    for (const side of [counting, bare, counting, bare]) await measureOne(side, measured)
    for (let pair = 0; pair < (quick ? 1 : pairsPerRun); pair++) {
      // Whoever is first has the quieter machine or the colder caches: by turns.
      const order = pair % 2 === 0 ? [counting, bare] : [bare, counting]
      const micros = new Map<Side, number>()
      for (const side of order) micros.set(side, await measureOne(side, measured))
      const [whole = Number.NaN, without = Number.NaN] = [micros.get(counting), micros.get(bare)]
      series.add('figures over time, CPU µs per delivery with them', whole)
      series.add('figures over time, CPU µs per delivery without them', without)
      series.add('figures over time, CPU per delivery with them over without', whole / without)
      say(`${whole.toFixed(2)} µs, ${without.toFixed(2)} µs without: ${(whole / without).toFixed(4)}`)
    }
    for (const { engine } of [counting, bare]) {
      await engine.call('close')
      await engine.stop()
    }
  }
  await receivers.stop()
}

interface NewSide {
  readonly name: string
  readonly dist?: string
  readonly profileDir?: string
}

async function openSide(
  { start, stores }: PartContext,
  ports: readonly number[],
  { name, ...options }: NewSide,
): Promise<Side> {
  const engine = await start<EngineCommands>('engine', options)
  await engine.call('open', await stores.store(name))
  await engine.call(
    'addTargets',
    ports.map((port, index) => ({
      uid: `t${index}`,
      url: `http://127.0.0.1:${port}/hook`,
      topic: topicOf(index),
    })),
  )
  return { name, engine }
}

const topicOf = (index: number) => `bench.t${index}`

/** Microseconds per delivery, those of the database's server included. */
async function measureOne({ engine }: Side, { count, topics, databasePid }: Measured): Promise<number> {
  const database = databasePid === null ? null : meterProcess(databasePid)
  const spent = await engine.call('publishAndDeliver', { count, topics, callers: publishCallers })
  const rest = await engine.call('idle', foldedWithinMs)
  const micros = spent.cpuMicros + rest.cpuMicros + (database?.().cpuMicros ?? 0)
  return micros / count
}
