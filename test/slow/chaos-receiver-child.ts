/** The receivers of the chaos test: `node chaos-receiver-child.ts SEED`. They go on whatever happens to the rest. */
import { answerParent } from './answer-parent.ts'
import { answerOf, slowPath } from './chaos-receivers.ts'
import { openLedger } from './ledger.ts'
import { seededRandom } from './seeded-random.ts'

const random = seededRandom(Number(process.argv[2]))
const ledger = await openLedger((path, requestNo) => answerOf(path, requestNo, random))

answerParent(ledger.url, (question) => {
  const { open, requests, agents, entries } = ledger
  const cut = ledger.cut.get(slowPath) ?? 0
  return { open, cut, requests, agents, entries: question === 'all' ? [...entries.values()] : [] }
})
