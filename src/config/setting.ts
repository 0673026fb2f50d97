/** One setting of the server: what it is called, what it may be, and what it is when nobody says. */
import type { ValueType } from './value-types.ts'

export interface Setting<T, D extends T | null> {
  readonly name: string
  readonly type: ValueType<T>
  readonly default: D
  /** What an absent value means, where the default does not say it. */
  readonly defaultText?: string
  readonly description: string
  /** Its value is never shown, in errors neither. */
  readonly secret?: boolean
}

export function setting<T, const D extends T | null>(definition: Setting<T, D>): Setting<T, D> {
  return definition
}
