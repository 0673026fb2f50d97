import { defineConfig } from 'vitest/config'
import { sourceFlags } from './test/source-flags.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real sockets, worker threads and processes: one process per file keeps a leak inside its file.
    pool: 'forks',
    execArgv: [...sourceFlags],
    maxWorkers: 2,
    // Generous: what a test waits for is a condition, and how soon it holds depends on the machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Whatever a file leaves running shows as a hang here, not as a slow run.
    teardownTimeout: 5_000,
    dangerouslyIgnoreUnhandledErrors: false,
    allowOnly: !process.env.CI,
  },
})
