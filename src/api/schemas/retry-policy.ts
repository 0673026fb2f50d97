import { describeRetryProfiles, retryProfiles } from '../../core/retry-policy.ts'
import { durationPattern, longerThanNothing } from './text-limits.ts'

const Duration = (description: string) => ({
  type: ['string', 'integer'],
  pattern: durationPattern(7),
  minimum: 0,
  maximum: 604_800_000,
  description,
  examples: ['5s'],
})

const common = {
  max_attempts: { type: ['integer', 'null'], minimum: 1, maximum: 100 },
  jitter: {
    anyOf: [
      { type: 'string', enum: ['none', 'full'] },
      { type: 'number', minimum: 0, maximum: 1 },
    ],
  },
  retry_on: {
    anyOf: [
      { type: 'string', const: 'non-2xx' },
      {
        type: 'array',
        maxItems: 64,
        items: { type: 'string', pattern: '^(?:non-2xx|(?!410)[14-9](?:\\d\\d|xx)|![1-9](?:\\d\\d|xx))$' },
      },
    ],
    description: 'statuses such as "429", classes such as "5xx", "non-2xx"; with "!" before one, not that',
    examples: [['429', '5xx']],
  },
}

/** How a retry policy is described. It is read and checked by the engine, so this documents and validates nothing. */
export const retryPolicyDocument = {
  title: 'RetryPolicy',
  description: `The name of a profile, a policy of one’s own, or null for the server’s default. Profiles: ${describeRetryProfiles()}. What is left out of a policy is that of \`standard\`.`,
  anyOf: [
    { type: 'string', enum: Object.keys(retryProfiles), description: 'a profile that is built in' },
    {
      type: 'string',
      pattern: '^[a-z][a-z0-9_-]{0,63}$',
      description: 'a profile of the server’s own (its setting `retry-profiles`)',
    },
    {
      type: 'object',
      additionalProperties: false,
      description: 'waits by a list',
      properties: {
        ...common,
        delays: {
          type: 'array',
          minItems: 1,
          maxItems: 100,
          items: Duration('a duration of at most 7 days'),
          description: 'in order, the last one repeating',
        },
      },
    },
    {
      type: 'object',
      additionalProperties: false,
      description: 'waits that grow',
      required: ['base'],
      properties: {
        ...common,
        base: {
          ...Duration('the first wait, longer than 0'),
          minimum: 1,
          pattern: `${longerThanNothing}${durationPattern(7)}`,
        },
        factor: { type: 'number', minimum: 1, maximum: 100 },
        cap: Duration('the longest wait; not shorter than `base`'),
      },
    },
    { type: 'null' },
  ],
  examples: ['standard', { max_attempts: 5, delays: ['5s', '1m', '10m'], retry_on: ['429', '5xx'] }],
}
