import type { Static } from 'typebox'
import { formatDuration } from '../../core/duration.ts'
import { renderRetryPolicy } from '../../core/retry-policy-json.ts'
import type { TenantView } from '../../engine/tenants.ts'
import { formatOptionalTime, formatTime } from '../rfc3339.ts'
import type { TenantBody } from '../schemas/tenants.ts'
import { toHealthMembers } from './health.ts'

export function toTenant(tenant: TenantView): Static<typeof TenantBody> {
  const { settings, removed, removal } = tenant
  return {
    id: tenant.id,
    uid: tenant.uid,
    name: tenant.name,
    metadata: { ...tenant.metadata },
    settings: {
      retain_payloads: toDuration(settings.retainPayloads),
      retain_attempts: toDuration(settings.retainAttempts),
      retain_events: toDuration(settings.retainEvents),
      retain_dead_letters: toDuration(settings.retainDeadLetters),
      retry_policy: settings.retryPolicy === null ? null : renderRetryPolicy(settings.retryPolicy),
      ...toHealthMembers({
        breakerThreshold: settings.breakerThreshold,
        breakerPauseMs: settings.breakerPause,
        breakerMaxPauseMs: settings.breakerMaxPause,
        disableAfterMs: settings.disableAfter,
      }),
      ingest_rate: settings.ingestRate,
      max_endpoints: settings.maxEndpoints,
      weight: settings.weight,
      authorized_domains: [...settings.authorizedDomains],
    },
    state: tenant.state,
    removed: removed === null ? null : { ...removed },
    removal: removal && {
      phase: removal.phase,
      started_at: formatTime(removal.startedAt),
      left: removal.left && { ...removal.left },
    },
    created_at: formatTime(tenant.createdAt),
    updated_at: formatTime(tenant.updatedAt),
    deleted_at: formatOptionalTime(tenant.deletedAt),
    version: tenant.version,
  }
}

function toDuration(ms: number | null): string | null {
  return ms === null ? null : formatDuration(ms)
}
