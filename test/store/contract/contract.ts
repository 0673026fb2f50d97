/** The contract of the store: every adapter passes it unchanged. */
import { describe } from 'vitest'
import { describeAudit } from './audit.ts'
import { describeClaim } from './claim.ts'
import { describeConfig } from './config.ts'
import { describeStoredCredentials } from './credentials.ts'
import { describeDeliveryNotices } from './delivery-notices.ts'
import { describeDirect } from './direct.ts'
import { describeEventTypes } from './event-types.ts'
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
import { describePortalLinks } from './portal-links.ts'
import { describePublish } from './publish.ts'
import { describeRead } from './read.ts'
import { describeRecord } from './record.ts'
import { describeRequests } from './requests.ts'
import { describeRetention } from './retention.ts'
import { describeHistories } from './retention-histories.ts'
import type { OpenHarness } from './scene.ts'
import { describeSchedule } from './schedule.ts'
import { describeSignIns } from './sign-ins.ts'
import { describeStats } from './stats.ts'
import { describeTenantRemoval } from './tenant-removal.ts'
import { describeTenants } from './tenants.ts'

/** Each in a suite of its own, because a suite's hooks run for all that stands beside them: a test opens one store. */
const parts = {
  publishing: describePublish,
  'large fan-outs': describeLargeFanOut,
  claims: describeClaim,
  outcomes: describeRecord,
  health: describeHealth,
  limits: describeLimits,
  configuration: describeConfig,
  credentials: describeStoredCredentials,
  'event types': describeEventTypes,
  notices: describeNotices,
  'notices of deliveries': describeDeliveryNotices,
  access: describeKeys,
  'sign-ins': describeSignIns,
  'links to the portal': describePortalLinks,
  'audit log': describeAudit,
  reading: describeRead,
  maintenance: describeMaintenance,
  jobs: describeJobs,
  'idempotent requests': describeRequests,
  retention: describeRetention,
  expunging: describeExpunge,
  histories: describeHistories,
  'figures over time': describeStats,
  schedules: describeSchedule,
  'direct sends': describeDirect,
  ordering: describeOrdering,
  'ends of ordered keys': describeOrderingEnds,
  'ordering later': describeOrderingLater,
  'histories of ordering': describeOrderingHistories,
  tenants: describeTenants,
  'removal of tenants': describeTenantRemoval,
}

export function describeStoreContract(name: string, open: OpenHarness): void {
  describe(name, () => {
    for (const [part, describePart] of Object.entries(parts)) describe(part, () => describePart(open))
  })
}
