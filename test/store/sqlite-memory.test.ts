import { describe } from 'vitest'
import { describeStoreContract } from './contract/contract.ts'
import { describeLargeFanOut } from './contract/large-fan-out.ts'
import { openMemoryHarness } from './sqlite-harness.ts'

describeStoreContract('SQLite in memory', openMemoryHarness)
describe('SQLite in memory', () => describeLargeFanOut(openMemoryHarness))
