/** The receiving side as a ledger, in the process of the test. */
import { onTestFinished } from 'vitest'
import { type Ledger, openLedger, type Reply } from './ledger.ts'

/** `decide` gets the path and the number of the delivery's request, from 1. Closed with the running test. */
export async function startLedger(decide: (path: string, requestNo: number) => Reply): Promise<Ledger> {
  const ledger = await openLedger(decide)
  onTestFinished(() => ledger.close())
  return ledger
}
