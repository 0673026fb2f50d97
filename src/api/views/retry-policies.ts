import type { Static } from 'typebox'
import type { EffectiveRetryPolicy } from '../../core/retry-policy.ts'
import { renderRetryPolicy } from '../../core/retry-policy-json.ts'
import type { EffectiveRetryPolicyBody } from '../schemas/shapes.ts'

export function toEffectivePolicy({
  policy,
  from,
  unknownProfiles,
}: EffectiveRetryPolicy): Static<typeof EffectiveRetryPolicyBody> {
  return { policy: renderRetryPolicy(policy), from, unknown_profiles: [...unknownProfiles] }
}
