/** A tenant: whose webhooks these are. Everything but other tenants belongs to one. */
import { type HealthSettings, noHealthSettings } from './health-settings.ts'
import type { StoredRetryPolicy } from './model.ts'

export const maxRetentionDays = 3650
export const maxMaxEndpoints = 1_000_000
export const maxTenantWeight = 100
export const maxAuthorizedDomains = 100

export interface Tenant {
  readonly id: string
  /** The user's own name for it, unique. */
  readonly uid: string | null
  /** For people. */
  readonly name: string
  readonly metadata: Readonly<Record<string, string>> | null
  readonly settings: TenantSettings
  readonly createdAt: number
  readonly updatedAt: number
  /** Since then it takes nothing more, and what belongs to it is being removed; null: it lives. */
  readonly deletedAt: number | null
  /** What the removal has removed so far; null: it lives. */
  readonly removed: RemovedOfTenant | null
  /** How far the removal has got; null: it lives. */
  readonly removal: TenantRemovalProgress | null
  /** Another one after each change that somebody makes: for `ifMatch`. */
  readonly version: string
}

/** What differs from the server's settings; null: as the server has it. */
export interface TenantSettings extends HealthSettings {
  /** Durations of retention are milliseconds; 0 is for ever. */
  readonly retainPayloadsMs: number | null
  readonly retainAttemptsMs: number | null
  readonly retainEventsMs: number | null
  readonly retainDeadLettersMs: number | null
  /** Of subscriptions without one of their own. */
  readonly retryPolicy: StoredRetryPolicy | null
  /** Events per second that it may publish, on average, with a burst of two seconds' worth; null: no limit. */
  readonly ingestRate: number | null
  /** Endpoints that it may have at one time; null: no limit. */
  readonly maxEndpoints: number | null
  /** Its part of what is delivered while several tenants wait, against that of the others. */
  readonly weight: number
  /** Its requests go to these and what is below them, and nowhere else (see `domains.ts`); none: anywhere. */
  readonly authorizedDomains: readonly string[]
}

/** Rows, by what they stand for. */
export interface RemovedOfTenant {
  readonly endpoints: number
  readonly events: number
  readonly deliveries: number
}

/**
 * `cancelling`: its endpoints are deleted, and what waits for them is cancelled. `draining`: what was under way is waited
 * for. `counting`: nothing can come any more, and what there is is counted. `removing`: it goes.
 */
export const removalPhases = ['cancelling', 'draining', 'counting', 'removing'] as const
export type RemovalPhase = (typeof removalPhases)[number]

export interface TenantRemovalProgress {
  readonly phase: RemovalPhase
  readonly startedAt: number
  /** Null: it is not counted yet. */
  readonly left: RemovedOfTenant | null
}

export const nothingRemovedOfTenant: RemovedOfTenant = { endpoints: 0, events: 0, deliveries: 0 }

export const defaultTenantSettings: TenantSettings = {
  retainPayloadsMs: null,
  retainAttemptsMs: null,
  retainEventsMs: null,
  retainDeadLettersMs: null,
  retryPolicy: null,
  ...noHealthSettings,
  ingestRate: null,
  maxEndpoints: null,
  weight: 1,
  authorizedDomains: [],
}
