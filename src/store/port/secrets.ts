/** Secrets of endpoints. The rules of `../port.ts` hold. */
import type { SealedSecret } from '../../core/model.ts'
import type { NewSecret } from './config.ts'

/** Of one endpoint at one time. */
export const maxActiveSecrets = 10

export interface PrimaryChange {
  /** `was_primary`: it is, and nothing is done. `not_found`: there is no such unexpired secret. */
  readonly kind: 'made_primary' | 'was_primary' | 'not_found'
}

export interface SecretStore {
  /** The unexpired ones of a live endpoint, newest first; null: there is no such endpoint. */
  listSecrets(tenantId: string, endpointId: string): Promise<readonly SealedSecret[] | null>
  /**
   * Adds the newest secret and lets all earlier ones expire after `graceMs`; atomic with the version. `too_many`: more
   * than `maxActiveSecrets` would sign, and nothing is done. False: there is no such endpoint.
   */
  rotateSecret(
    tenantId: string,
    endpointId: string,
    secret: NewSecret,
    graceMs: number,
  ): Promise<boolean | 'too_many'>
  /** Makes an unexpired secret the primary one, in place of any other; atomic with the version. */
  setPrimarySecret(tenantId: string, endpointId: string, secretId: string): Promise<PrimaryChange>
  /** Counts that the secret is shown, and to whom, before it is. Null: there is no such unexpired secret. */
  noteReveal(
    tenantId: string,
    endpointId: string,
    secretId: string,
    by: string | null,
  ): Promise<SealedSecret | null>
}
