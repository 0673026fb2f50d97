import { parseArgs } from 'node:util'
import type { StoreKind } from './harness/stores.ts'

export interface Options {
  /** Null: all parts. */
  readonly only: readonly string[] | null
  readonly quick: boolean
  /** Null: five, and three of what takes over a minute; one when quick. */
  readonly runs: number | null
  /** Null: `bench/results.json`; of a quick run, a file of its own in the directory for temporary files. */
  readonly out: string | null
  readonly profile: boolean
  readonly store: StoreKind
}

export const usage = `Usage: npm run bench -- [options]
  --only NAME,…   these parts only; their figures replace those in the results, the others stay
  --store KIND    sqlite (default) or postgres: the server that OUTHOOK_TEST_POSTGRES_URL names, or a PostgreSQL 18 of its own
  --quick         small sizes and one run each: shows that it works, measures nothing
  --runs N        runs of each part (default 5, and 3 of those that take over a minute)
  --out FILE      where the figures go (default bench/results.json)
  --profile       writes CPU profiles of the engine's threads to bench/profiles/
`

/** Throws an error that says what is wrong. */
export function parseOptions(args: readonly string[], partNames: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      runs: { type: 'string' },
      out: { type: 'string' },
      profile: { type: 'boolean', default: false },
      store: { type: 'string', default: 'sqlite' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const only = values.only?.split(',').map((name) => name.trim()) ?? null
  const unknown = only?.find((name) => !partNames.includes(name))
  if (unknown !== undefined) throw new Error(`no part "${unknown}"; the parts are ${partNames.join(', ')}`)
  const runs = values.runs === undefined ? null : Number(values.runs)
  if (runs !== null && !(Number.isInteger(runs) && runs >= 1 && runs <= 100)) {
    throw new Error(`--runs is a number from 1 to 100, not "${values.runs}"`)
  }
  const { quick, profile, store } = values
  if (store !== 'sqlite' && store !== 'postgres') {
    throw new Error(`--store is sqlite or postgres, not "${store}"`)
  }
  return { only, quick, runs, out: values.out ?? null, profile, store }
}
