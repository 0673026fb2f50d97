import { join } from 'node:path'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { describeTime } from './contract/time.ts'
import { makeDirectory } from './sqlite-harness.ts'

describeTime('SQLite', async () => {
  const directory = makeDirectory()
  const clock = createManualClock()
  return {
    async start() {
      const store = await openSqliteStore({ path: join(directory.path, 'hooks.db'), clock, inProcess: true })
      return {
        store,
        now: () => store.time.now(),
        advance: (ms) => clock.advance(ms),
        close: () => store.close(),
      }
    },
    advance: (ms) => clock.advance(ms),
    jump: async (ms) => clock.jump(ms),
    remove: async () => directory.remove(),
  }
})
