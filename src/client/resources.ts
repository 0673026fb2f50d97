/** The resources' types under names that clash with nothing of the command line's. */
export type {
  Attempt as AttemptResource,
  Credential as CredentialResource,
  DeadLetter as DeadLetterResource,
  Delivery as DeliveryResource,
  EndpointPublicKey as EndpointPublicKeyResource,
  EndpointSecret as EndpointSecretResource,
  Event as EventResource,
  EventStatus,
  Job as JobResource,
  Key as KeyResource,
  MasterKey as MasterKeyResource,
  OrderedKey as OrderedKeyResource,
  Subscription as SubscriptionResource,
  SubscriptionPreview,
  SubscriptionPreviewed as PreviewAnswer,
  Tenant as TenantResource,
} from './generated/types.ts'
export type { Page } from './pages.ts'

import type { CreatedEndpoint, Endpoint } from './generated/types.ts'

/** The secret is there only in the answer that made it. */
export type EndpointResource = Endpoint & Partial<Pick<CreatedEndpoint, 'secret'>>
