import { OuthookError } from '../core/errors.ts'

export interface NumberRule {
  /** Default 0. */
  readonly min?: number
  /** Default: any finite number. */
  readonly max?: number
  readonly whole?: boolean
}

/** A number of somebody's options. Errors: invalid_config, which names the option and what it may be. */
export function readNumber(name: string, value: number, rule: NumberRule = {}): number {
  const { min = 0, max = Number.MAX_VALUE, whole = false } = rule
  if (typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value))) {
    return value
  }
  const range = max === Number.MAX_VALUE ? `of ${min} or more` : `from ${min} to ${max}`
  throw new OuthookError('invalid_config', `${name} must be a ${whole ? 'whole ' : ''}number ${range}`)
}
