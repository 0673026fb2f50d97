import fc from 'fast-check'
import { test } from 'vitest'
import { checkHistory, histories } from '../store/contract/retention-histories.ts'
import { openMemoryHarness } from '../store/sqlite-harness.ts'

// The contract runs two of them on every store.
test('through many random histories nothing that is live or can be replayed loses its payload', async () => {
  await fc.assert(
    fc.asyncProperty(histories, (steps) => checkHistory(openMemoryHarness, steps)),
    { numRuns: 100 },
  )
})
