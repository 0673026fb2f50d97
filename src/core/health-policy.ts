/**
 * When the breaker pauses an endpoint, and when it is disabled for failing: of endpoint, tenant and server the nearest that
 * says something, each setting by itself.
 */
import type { BreakerPolicy } from './endpoint-health.ts'
import type { HealthSettings } from './health-settings.ts'

export const maxBreakerThreshold = 1000
export const maxHealthDays = 365

export const healthSources = ['endpoint', 'tenant', 'server'] as const
export type HealthSource = (typeof healthSources)[number]

export interface EffectiveSetting {
  readonly value: number
  /** Who has said it. */
  readonly from: HealthSource
}

export type EffectiveHealth = Readonly<Record<keyof HealthSettings, EffectiveSetting>>

const serverNames: Readonly<Record<keyof HealthSettings, keyof BreakerPolicy>> = {
  breakerThreshold: 'failureThreshold',
  breakerPauseMs: 'pauseMs',
  breakerMaxPauseMs: 'maxPauseMs',
  disableAfterMs: 'disableAfterMs',
}

interface GivenHealth {
  readonly endpoint?: HealthSettings | undefined
  readonly tenant?: HealthSettings | undefined
  readonly server: BreakerPolicy
}

export function findEffectiveHealth({ endpoint, tenant, server }: GivenHealth): EffectiveHealth {
  const find = (name: keyof HealthSettings): EffectiveSetting => {
    const ofEndpoint = endpoint?.[name] ?? null
    if (ofEndpoint !== null) return { value: ofEndpoint, from: 'endpoint' }
    const ofTenant = tenant?.[name] ?? null
    if (ofTenant !== null) return { value: ofTenant, from: 'tenant' }
    return { value: server[serverNames[name]], from: 'server' }
  }
  const [breakerPauseMs, breakerMaxPauseMs] = inOrder(find('breakerPauseMs'), find('breakerMaxPauseMs'))
  return {
    breakerThreshold: find('breakerThreshold'),
    breakerPauseMs,
    breakerMaxPauseMs,
    disableAfterMs: find('disableAfterMs'),
  }
}

/** Where a first pause is longer than the longest, what the nearer of the two has said is both. */
function inOrder(
  first: EffectiveSetting,
  longest: EffectiveSetting,
): readonly [EffectiveSetting, EffectiveSetting] {
  if (first.value <= longest.value) return [first, longest]
  const isFirstNearer = healthSources.indexOf(first.from) <= healthSources.indexOf(longest.from)
  return isFirstNearer ? [first, first] : [longest, longest]
}

/** What is in force; null: the server's, because nobody nearer says anything. */
export function findBreaker(given: GivenHealth): BreakerPolicy | null {
  const health = findEffectiveHealth(given)
  if (Object.values(health).every(({ from }) => from === 'server')) return null
  return {
    failureThreshold: health.breakerThreshold.value,
    pauseMs: health.breakerPauseMs.value,
    maxPauseMs: health.breakerMaxPauseMs.value,
    disableAfterMs: health.disableAfterMs.value,
  }
}
