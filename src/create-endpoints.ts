/** The use cases about endpoints, put together. */
import type { BreakerPolicy } from './core/endpoint-health.ts'
import type { FaceWords } from './core/face-words.ts'
import type { IdFactory } from './core/ids.ts'
import type { Logger } from './core/logger.ts'
import type { RetryPolicies } from './core/retry-policies.ts'
import type { SecretBox } from './core/secret-box.ts'
import type { Kinds } from './destinations/kinds.ts'
import { EndpointPauses } from './engine/endpoint-pauses.ts'
import { EndpointSecrets } from './engine/endpoint-secrets.ts'
import { Endpoints } from './engine/endpoints.ts'
import type { TenantUrls } from './engine/tenant-urls.ts'
import type { Store } from './store/port.ts'

export interface EndpointParts {
  readonly store: Store
  readonly ids: IdFactory
  readonly secretBox: SecretBox
  readonly randomBytes: (size: number) => Uint8Array
  readonly words: FaceWords
  readonly retryPolicies: RetryPolicies
  /** Of destinations. Default: all that there are. */
  readonly kinds?: Kinds | undefined
  /** The server's default of when endpoints are paused and disabled. */
  readonly serverBreaker: BreakerPolicy
  readonly logger: Logger
  readonly urls: Pick<TenantUrls, 'check'>
  readonly onChange: (tenantId: string, endpointId: string) => void
}

export function createEndpoints(parts: EndpointParts) {
  const endpointSecrets = new EndpointSecrets(parts)
  const endpoints = new Endpoints({ ...parts, secrets: endpointSecrets })
  return { endpoints, endpointSecrets, endpointPauses: new EndpointPauses({ ...parts, endpoints }) }
}
