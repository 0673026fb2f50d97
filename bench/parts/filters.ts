/** What a filter costs for a payload of 10 kB, and what it takes to read the payload, which is done once for all filters. */
import type { Part, PartContext } from '../part.ts'
import type { FiltersCommands } from '../processes/filters.ts'

export const filters: Part = { names: ['filters'], on: 'sqlite', run: measureFilters }

const blockMs = 20

async function measureFilters(context: PartContext): Promise<void> {
  const { series, quick, runs, say } = context
  const evaluating = await context.start<FiltersCommands>('filters')
  const { usual, hostile } = await evaluating.call('names')
  // Of several blocks the quickest: what another process takes from the core is no part of a filter.
  const blocks = quick ? 2 : 15
  const micros = (name: string) => evaluating.call('evaluate', { name, blockMs, blocks })
  for (let run = 0; run <= runs; run++) {
    const toRead = await evaluating.call('read', { blockMs, blocks })
    const ofUsual = new Map<string, number>()
    for (const name of usual) ofUsual.set(name, await micros(name))
    let worst = { name: '', micros: 0 }
    for (const name of hostile) {
      const found = await micros(name)
      if (found > worst.micros) worst = { name, micros: found }
    }
    // The first round warms up.
    if (run === 0) continue
    series.add('filters, CPU µs to read a payload of 10 kB', toRead)
    for (const [name, found] of ofUsual) series.add(`filters, CPU µs for 10 kB, ${name}`, found)
    series.add('filters, CPU µs of the worst filter for 10 kB', worst.micros)
    say(
      `read in ${toRead.toFixed(1)} µs; the worst filter takes ${worst.micros.toFixed(1)} µs: ${worst.name}`,
    )
  }
}
