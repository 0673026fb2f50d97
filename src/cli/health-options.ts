/** When endpoints are paused and disabled for failing, as flags of endpoints and tenants. */
import type { Command } from 'commander'
import { maxBreakerThreshold } from '../core/health-policy.ts'
import { durationMs, orDefault, wholeNumber } from './option-values.ts'

type OrDefault<T> = T | 'default'

export interface HealthOptions {
  readonly breakerThreshold?: OrDefault<number>
  readonly breakerPause?: OrDefault<number>
  readonly breakerMaxPause?: OrDefault<number>
  readonly disableAfter?: OrDefault<number>
}

/** @param whose what `default` stands for */
export function addHealthOptions(command: Command, whose: string): Command {
  return command
    .option(
      '--breaker-threshold <number>',
      `transport failures in a row that pause it, 0 for never, or default for ${whose}`,
      orDefault(wholeNumber(0, maxBreakerThreshold)),
    )
    .option('--breaker-pause <duration>', 'its first pause, or default', orDefault(durationMs))
    .option('--breaker-max-pause <duration>', 'its longest pause, or default', orDefault(durationMs))
    .option(
      '--disable-after <duration>',
      'of failures alone, after which it is disabled, 0 for never, or default',
      orDefault(durationMs),
    )
}

/** Absent members disappear in JSON, and so stay as they are. */
export function healthOf(options: HealthOptions) {
  return {
    breakerThreshold: given(options.breakerThreshold),
    breakerPause: given(options.breakerPause),
    breakerMaxPause: given(options.breakerMaxPause),
    disableAfter: given(options.disableAfter),
  }
}

function given<T>(value: OrDefault<T> | undefined): T | null | undefined {
  return value === 'default' ? null : value
}
