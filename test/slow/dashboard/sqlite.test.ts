/**
 * The dashboard in a real browser, on SQLite. How pages look, and what they do with texts, does not depend on
 * the store, so that is tested here alone.
 */
import { afterAll, beforeAll, describe, vi } from 'vitest'
import { type Bed, openBed } from './bed.ts'
import { describeBehindTls } from './behind-tls.ts'
import { describeByKeyboard } from './by-keyboard.ts'
import { describeFollowing } from './following.ts'
import { describeLooks } from './looks.ts'
import { describeMending } from './mending.ts'
import { describePlanting } from './planting.ts'
import { describeReplaying } from './replaying.ts'
import { describeSigningIn } from './signing-in.ts'
import { describeWatching } from './watching.ts'

// All of it waits for conditions; a browser on a busy machine takes its time.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

describe('the dashboard on SQLite', () => {
  let bed: Bed
  beforeAll(async () => {
    bed = await openBed()
  })
  afterAll(() => bed?.close())

  const open = () => bed
  describeSigningIn(open)
  describeBehindTls(open)
  describeMending(open)
  describeByKeyboard(open)
  describeFollowing(open)
  describeReplaying(open)
  describeWatching(open)
  describeLooks(open)
  describePlanting(open)
})
