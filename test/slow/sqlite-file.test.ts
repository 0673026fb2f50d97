import { describe } from 'vitest'
import { describeClaim } from '../store/contract/claim.ts'
import { describeStoreContract } from '../store/contract/contract.ts'
import { describePublish } from '../store/contract/publish.ts'
import { describeRecord } from '../store/contract/record.ts'
import { openFileHarness, openMemoryHarness, withMemory } from '../store/sqlite-harness.ts'

describeStoreContract('SQLite on a file', () => openFileHarness({ inProcess: true }))
describeStoreContract('SQLite, with what waits in memory', async () => withMemory(await openMemoryHarness()))

// Opening two threads takes 0.1 s; what crosses between them is all in these.
describe('SQLite in its threads', () => {
  describePublish(() => openFileHarness())
  describeClaim(() => openFileHarness())
  describeRecord(() => openFileHarness())
})
