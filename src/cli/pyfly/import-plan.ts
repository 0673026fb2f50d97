/** What an import of pyfly's callbacks would make. */
import type { CredentialCreate, EndpointCreate, RetryPolicy } from '../../client/generated/types.ts'
import type { Place } from './callback-file.ts'

/** Something of the file that is not carried over as it stands. */
export interface Remark {
  readonly place: Place
  readonly problem: string
  /** What to do about it. */
  readonly advice: string
  /** Requests that pyfly makes are not set up because of it. */
  readonly isLoss: boolean
}

export interface ImportPlan {
  readonly tenants: readonly PlannedTenant[]
  readonly remarks: readonly Remark[]
}

export interface PlannedTenant {
  /** Of its first config. */
  readonly place: Place
  /** Null: the one that the command is for. */
  readonly uid: string | null
  /** Empty: none. */
  readonly authorizedDomains: readonly string[]
  readonly credentials: readonly PlannedCredential[]
  readonly endpoints: readonly PlannedEndpoint[]
}

export interface PlannedCredential {
  readonly body: CredentialCreate
  readonly place: Place
}

export interface PlannedEndpoint {
  readonly uid: string
  readonly url: string
  readonly description: string
  /** Null: unsigned. */
  readonly secret: string | null
  /** The name of one that is planned. */
  readonly credential: string | null
  readonly retryPolicy: RetryPolicy
  readonly settings: EndpointLimits
  readonly subscriptions: readonly PlannedSubscription[]
  readonly place: Place
}

/** From `pyfly.callbacks`. What the file does not say is undefined, and as the server has it. */
export type EndpointLimits = Pick<
  EndpointCreate,
  'timeout' | 'breakerThreshold' | 'breakerPause' | 'breakerMaxPause'
>

export interface PlannedSubscription {
  readonly topic: string
  readonly headers: Readonly<Record<string, string>>
  readonly active: boolean
  readonly place: Place
}

export type CredentialContent = Omit<CredentialCreate, 'name' | 'description'>

/** Where whatever is not carried over is told. */
export type Remarks = (remark: Remark) => void
