/** What the schema of an event type that is enforced costs for each payload, which is read for it alone. */
import type { Part, PartContext } from '../part.ts'
import type { EventTypesCommands } from '../processes/event-types.ts'

export const eventTypes: Part = { names: ['event-types'], on: 'sqlite', run: measureEventTypes }

const blockMs = 20

async function measureEventTypes(context: PartContext): Promise<void> {
  const { series, quick, runs, say } = context
  const judging = await context.start<EventTypesCommands>('event-types')
  const names = await judging.call('names')
  const blocks = { blockMs, blocks: quick ? 2 : 15 }
  for (let run = 0; run <= runs; run++) {
    const untyped = await judging.call('judgeUntyped', blocks)
    const found: (readonly [name: string, micros: number, ofReading: number])[] = []
    for (const name of names) {
      const [micros, ofReading] = [
        await judging.call('judge', { name, ...blocks }),
        await judging.call('read', { name, ...blocks }),
      ]
      found.push([name, micros, ofReading])
    }
    // The first round warms up.
    if (run === 0) continue
    series.add('event types, CPU µs for a topic without a schema', untyped)
    for (const [name, micros, ofReading] of found) {
      series.add(`event types, CPU µs to check ${name} against an enforced schema`, micros)
      series.add(`event types, CPU µs of that to read ${name}`, ofReading)
      say(`${name}: ${micros.toFixed(1)} µs, ${ofReading.toFixed(1)} of them to read it`)
    }
  }
}
