/** When an endpoint is paused and disabled for failing: what endpoints and tenants take, and what is in force. */
import { Type } from '../../bundled/typebox.ts'
import { healthSources, maxBreakerThreshold, maxHealthDays } from '../../core/health-policy.ts'
import { Nullable } from './shapes.ts'
import { durationPattern, longerThanNothing } from './text-limits.ts'

const Span = (least: 0 | 1, what: string, example: string) =>
  Type.Optional(
    Type.Unsafe<string | number | null>({
      type: ['string', 'integer', 'null'],
      pattern: `${least === 0 ? '' : longerThanNothing}${durationPattern(maxHealthDays)}`,
      minimum: least,
      maximum: maxHealthDays * 86_400_000,
      examples: [example],
      description: what,
    }),
  )

/** @param next whose setting null stands for */
export const healthInput = (next: string) => ({
  breaker_threshold: Type.Optional(
    Nullable(
      Type.Integer({
        minimum: 0,
        maximum: maxBreakerThreshold,
        description: `transport failures in a row that pause an endpoint; 0 switches the circuit breaker off, null is ${next}`,
      }),
    ),
  ),
  breaker_pause: Span(
    1,
    `the first pause, which each failed probe doubles; not longer than \`breaker_max_pause\`; null is ${next}`,
    '30s',
  ),
  breaker_max_pause: Span(1, `the longest pause; null is ${next}`, '1h'),
  disable_after: Span(
    0,
    `an endpoint that has only failed for so long is disabled; "0" is never, null is ${next}`,
    '5d',
  ),
})

const Kept = (what: string) => Nullable(Type.String({ description: `a duration: ${what}` }))

/** @param next whose setting null stands for */
export const healthMembers = (next: string) => ({
  breaker_threshold: Nullable(
    Type.Integer({ description: `transport failures in a row that pause an endpoint; null: ${next}` }),
  ),
  breaker_pause: Kept(`the first pause; null: ${next}`),
  breaker_max_pause: Kept(`the longest pause; null: ${next}`),
  disable_after: Kept(`of failures alone, after which an endpoint is disabled; null: ${next}`),
})

const From = Type.String({ enum: [...healthSources], description: 'who has said it' })
const EffectiveDuration = Type.Object({ value: Type.String({ description: 'a duration' }), from: From })

export const EffectiveHealthBody = Type.Object(
  {
    breaker_threshold: Type.Object({ value: Type.Integer(), from: From }),
    breaker_pause: EffectiveDuration,
    breaker_max_pause: EffectiveDuration,
    disable_after: EffectiveDuration,
  },
  {
    title: 'EffectiveHealth',
    description:
      'when the endpoint is paused and disabled: of endpoint, tenant and server the nearest that says something, for each setting',
  },
)
