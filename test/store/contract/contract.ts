/** The contract of the store: every adapter passes it unchanged. */
import { describe } from 'vitest'
import { describeClaim } from './claim.ts'
import { describeConfig } from './config.ts'
import { describeStoredCredentials } from './credentials.ts'
import { describeDirect } from './direct.ts'
import { describeExpunge } from './expunge.ts'
import { describeHealth } from './health.ts'
import { describeJobs } from './jobs.ts'
import { describeKeys } from './keys.ts'
import { describeLargeFanOut } from './large-fan-out.ts'
import { describeLimits } from './limits.ts'
import { describeMaintenance } from './maintenance.ts'
import { describeNotices } from './notices.ts'
import { describeOrdering } from './ordering.ts'
import { describeOrderingEnds } from './ordering-ends.ts'
import { describeOrderingHistories } from './ordering-histories.ts'
import { describeOrderingLater } from './ordering-later.ts'
import { describePublish } from './publish.ts'
import { describeRead } from './read.ts'
import { describeRecord } from './record.ts'
import { describeRequests } from './requests.ts'
import { describeRetention } from './retention.ts'
import { describeHistories } from './retention-histories.ts'
import type { OpenHarness } from './scene.ts'
import { describeSchedule } from './schedule.ts'
import { describeTenantRemoval } from './tenant-removal.ts'
import { describeTenants } from './tenants.ts'

export function describeStoreContract(name: string, open: OpenHarness): void {
  describe(name, () => {
    describePublish(open)
    describeLargeFanOut(open)
    describeClaim(open)
    describeRecord(open)
    describeHealth(open)
    describeLimits(open)
    describeConfig(open)
    describeStoredCredentials(open)
    describeNotices(open)
    describeKeys(open)
    describeRead(open)
    describeMaintenance(open)
    describeJobs(open)
    describeRequests(open)
    describeRetention(open)
    describeExpunge(open)
    describeHistories(open)
    describeSchedule(open)
    describeDirect(open)
    describeOrdering(open)
    describeOrderingEnds(open)
    describeOrderingLater(open)
    describeOrderingHistories(open)
    describeTenants(open)
    describeTenantRemoval(open)
  })
}
