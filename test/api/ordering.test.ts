import { describeOrdering } from './ordering-cases.ts'

// Each has a store of its own: nobody else can open one in memory.
describeOrdering('SQLite', async () => [{ store: 'memory:' }, { store: 'memory:' }])
