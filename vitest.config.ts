import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { sourceFlags } from './test/source-flags.ts'

// Threads and child processes run the sources, and each would strip their types again: half of what the fast tests cost.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules', '.cache', 'node-compile')

const postgres = 'test/**/postgres*.test.ts'
const slow = 'test/slow/**/*.test.ts'

/** Longest first, also where nothing is known of an earlier run: at the end no core waits for the other's last file. */
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ project }: TestSpecification) => ['slow', 'postgres', 'fast'].indexOf(project.name)
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  test: {
    pool: 'forks',
    execArgv: [...sourceFlags],
    maxWorkers: 2,
    sequence: { sequencer: SlowFirst },
    // `npm run test:fast` is the first of them.
    projects: [
      // A process per file, each of which loads everything anew, was a third of what these cost.
      project('fast', { include: ['test/**/*.test.ts'], exclude: [postgres, slow], isolate: false }),
      // A process per file: what crashes, floods and full disks do to it stays inside it.
      project('postgres', { include: [postgres], exclude: [slow] }),
      project('slow', { include: [slow] }),
    ],
    // Generous: what a test waits for is a condition, and how soon it holds depends on the machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000, interval: 25 } },
    // Whatever a file leaves running shows as a hang here, not as a slow run.
    teardownTimeout: 5_000,
    dangerouslyIgnoreUnhandledErrors: false,
    allowOnly: !process.env.CI,
  },
})

function project(name: string, test: { include: string[]; exclude?: string[]; isolate?: boolean }) {
  return { extends: true as const, test: { name, ...test } }
}
