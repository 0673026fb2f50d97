import { describeStoreContract } from './contract/contract.ts'
import { openMemoryHarness } from './sqlite-harness.ts'

describeStoreContract('SQLite in memory', openMemoryHarness)
