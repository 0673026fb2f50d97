/** Reads what an endpoint or a tenant has of its own of the breaker and of auto-disable. Throws `unprocessable`, which names the member. */
import { durationForms, parseDuration } from '../core/duration.ts'
import { OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import { maxBreakerThreshold, maxHealthDays } from '../core/health-policy.ts'
import type { HealthSettings } from '../core/health-settings.ts'

/** Members that are absent stay as they are; null is as the tenant, or the server, has it. Durations are milliseconds or text. */
export interface HealthInput {
  /** Transport failures in a row that pause the endpoint, at most 1000; 0 switches the breaker off. */
  readonly breakerThreshold?: number | null
  /** The first pause; each failed probe doubles it. */
  readonly breakerPause?: number | string | null
  /** The longest pause. */
  readonly breakerMaxPause?: number | string | null
  /** An endpoint that has only failed for so long is disabled; 0 is never. */
  readonly disableAfter?: number | string | null
}

/** Each member, as it is called in a call and where it is kept, with what reads it. */
export const healthMembers = {
  breakerThreshold: { kept: 'breakerThreshold', read: readThreshold },
  breakerPause: { kept: 'breakerPauseMs', read: (value, member) => readSpan(value, member, 1) },
  breakerMaxPause: { kept: 'breakerMaxPauseMs', read: (value, member) => readSpan(value, member, 1) },
  disableAfter: { kept: 'disableAfterMs', read: (value, member) => readSpan(value, member, 0) },
} as const satisfies Readonly<
  Record<
    keyof HealthInput,
    { readonly kept: keyof HealthSettings; readonly read: (value: unknown, member: string) => number }
  >
>

const jsonNames: Readonly<Record<keyof HealthInput, string>> = {
  breakerThreshold: 'breaker_threshold',
  breakerPause: 'breaker_pause',
  breakerMaxPause: 'breaker_max_pause',
  disableAfter: 'disable_after',
}

/** The members that are given, checked. */
export function readHealthSettings(input: HealthInput, { member }: FaceWords): Partial<HealthSettings> {
  const read = Object.entries(healthMembers).flatMap(([name, { kept, read }]) => {
    const value = input[name as keyof HealthInput]
    if (value === undefined) return []
    return [[kept, value === null ? null : read(value, member(jsonNames[name as keyof HealthInput]))]]
  })
  const settings = Object.fromEntries(read) as Partial<HealthSettings>
  checkPauses(settings, { member })
  return settings
}

/** Of settings that are given together. */
export function checkPauses(
  settings: Partial<HealthSettings>,
  { member }: Pick<FaceWords, 'member'>,
  within = '',
): void {
  const { breakerPauseMs, breakerMaxPauseMs } = settings
  if (breakerPauseMs == null || breakerMaxPauseMs == null || breakerPauseMs <= breakerMaxPauseMs) return
  const longest = member('breaker_max_pause')
  throw refused(`${within}${member('breaker_pause')}`, `is longer than ${longest}; make it shorter`)
}

function readThreshold(value: unknown, member: string): number {
  if (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= maxBreakerThreshold)
    return Number(value)
  throw refused(member, `must be a whole number from 0 (off) to ${maxBreakerThreshold}, or null`)
}

function readSpan(value: unknown, member: string, leastMs: number): number {
  const ms = parseDuration(value)
  if (ms !== null && ms >= leastMs && ms <= maxHealthDays * 86_400_000) return ms
  const least = leastMs === 0 ? '0 for never' : 'more than 0'
  throw refused(member, `must be ${durationForms}, ${least}, at most ${maxHealthDays}d, or null`)
}

function refused(member: string, problem: string): OuthookError {
  return new OuthookError('unprocessable', `${member} ${problem}`)
}
