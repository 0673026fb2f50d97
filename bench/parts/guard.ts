/** What the address guard costs by itself, and what a send costs with it over one without. */
import { sendLanes } from '../harness/load-shape.ts'
import type { Part, PartContext } from '../part.ts'
import type { GuardCommands } from '../processes/guard.ts'
import type { ReceiverCommands } from '../processes/receivers.ts'
import type { SendsCommands, SendWay } from '../processes/sends.ts'

export const guard: Part = { names: ['guard'], on: 'sqlite', run: measureGuard }

const checks = [
  ['known', 'guard, CPU µs per connection to addresses that are known'],
  ['fresh', 'guard, CPU µs per connection to a new address'],
  ['url', 'guard, CPU µs per URL'],
] as const

async function measureGuard(context: PartContext): Promise<void> {
  const { series, quick, runs, say } = context
  const guarded = await context.start<GuardCommands>('guard')
  const count = quick ? 20_000 : 500_000
  for (let run = 0; run <= runs; run++) {
    for (const [name, figure] of checks) {
      const { cpuMicros } = await guarded.call(name, { count })
      // The first round warms up.
      if (run > 0) series.add(figure, cpuMicros / count)
    }
  }
  const job = { count: quick ? 3000 : 40_000, concurrency: sendLanes }
  const receivers = await context.start<ReceiverCommands>('receivers')
  const [port = 0] = await receivers.call('listen', { count: 1 })
  const start = async (way: SendWay) => {
    const sender = await context.start<SendsCommands>('sends')
    await sender.call('open', { way, port })
    return async () => (await sender.call('send', job)).cpuMicros / job.count
  }
  const [sendFree, sendGuarded] = [await start('unsigned'), await start('guarded')]
  say('warming up')
  for (const send of [sendFree, sendGuarded]) await send()
  for (let run = 0; run < runs; run++) {
    const [free, withGuard] = [await sendFree(), await sendGuarded()]
    series.add('guard, CPU per send with it over without', withGuard / free)
    say(`without ${free.toFixed(1)} µs; with ${withGuard.toFixed(1)} µs`)
  }
}
