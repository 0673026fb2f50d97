/** The dashboard in a real browser, on SQLite. How pages look does not depend on the store, so that is tested here alone. */
import { afterAll, beforeAll, describe } from 'vitest'
import { type Bed, openBed } from './bed.ts'
import { describeLooks } from './looks.ts'
import { describeSigningIn } from './signing-in.ts'
import { describeWatching } from './watching.ts'

describe('the dashboard on SQLite', () => {
  let bed: Bed
  beforeAll(async () => {
    bed = await openBed()
  })
  afterAll(() => bed?.close())

  const open = () => bed
  describeSigningIn(open)
  describeWatching(open)
  describeLooks(open)
})
