import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { sourceFlags } from './test/source-flags.ts'

// Threads and child processes run the sources, and each would strip their types again: half of what the fast tests cost.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules', '.cache', 'node-compile')

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real sockets, worker threads and processes: one process per file keeps a leak inside its file.
    pool: 'forks',
    execArgv: [...sourceFlags],
    maxWorkers: 2,
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
