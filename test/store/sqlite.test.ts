import { describeStoreContract } from './contract/contract.ts'
import { openFileHarness, openMemoryHarness } from './sqlite-harness.ts'

describeStoreContract('SQLite on a file', () => openFileHarness())
describeStoreContract('SQLite in memory', openMemoryHarness)
