import { describeRetryProfiles, retryProfiles } from '../../core/retry-policy.ts'

/** How a retry policy is described. It is read and checked by the engine, so this documents and validates nothing. */
export const retryPolicyDocument = {
  title: 'RetryPolicy',
  description: `The name of a profile, a policy of one’s own, or null for the server’s default. Profiles: ${describeRetryProfiles()}. What is left out of a policy is that of \`standard\`.`,
  anyOf: [
    { type: 'string', enum: Object.keys(retryProfiles) },
    {
      type: 'object',
      additionalProperties: false,
      properties: {
        max_attempts: { type: 'integer', minimum: 1, maximum: 100 },
        delays: {
          type: 'array',
          items: { type: ['string', 'integer'] },
          description: 'durations such as "5s", in order, the last one repeating',
        },
        base: { type: ['string', 'integer'], description: 'a duration; instead of `delays`' },
        factor: { type: 'number', minimum: 1, maximum: 100 },
        cap: { type: ['string', 'integer'], description: 'a duration' },
        jitter: {
          anyOf: [
            { type: 'string', enum: ['none', 'full'] },
            { type: 'number', minimum: 0, maximum: 1 },
          ],
        },
        retry_on: {
          type: 'array',
          items: { type: 'string' },
          description:
            'statuses such as "429", classes such as "5xx", "non-2xx"; with "!" before one, not that',
        },
      },
    },
    { type: 'null' },
  ],
}
