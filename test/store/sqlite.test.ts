import { describeStoreContract } from './contract/contract.ts'
import { openFileHarness } from './sqlite-harness.ts'

describeStoreContract('SQLite on a file', () => openFileHarness())
