import type { Endpoint } from '../../../client/index.ts'
import { Badge } from '../../kit/detail.tsx'
import { Time } from '../../times.tsx'
import { troubleOf } from './endpoint-trouble.ts'

/** In one word, and why and until when where it is not as it should be. */
export function EndpointState({ of }: { readonly of: Endpoint }) {
  if (of.deletedAt !== null) return <Badge is="plain">deleted</Badge>
  const trouble = troubleOf(of)
  const isFailing = trouble !== null && of.state === 'active'
  return (
    <>
      <Badge is={trouble === null ? 'good' : 'bad'}>{isFailing ? 'failing' : of.state}</Badge>
      {trouble !== null && (
        <p class="hint">
          {trouble.text} {trouble.since !== null && <Time at={trouble.since} />}
        </p>
      )}
      {of.resumesAt !== null && (
        <p class="hint">
          sent to again <Time at={of.resumesAt} />
        </p>
      )}
    </>
  )
}
