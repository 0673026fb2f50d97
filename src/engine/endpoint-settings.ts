/** The members of an endpoint that a caller gives, checked. */
import { parseStoredHeaders } from '../core/custom-headers.ts'
import type { FaceWords } from '../core/face-words.ts'
import type { HealthSettings } from '../core/health-settings.ts'
import { checkMediaType } from '../core/media-type.ts'
import { validateSigningSchemes } from '../core/signing-schemes.ts'
import type { EndpointPatch } from '../store/port.ts'
import {
  checkCredentialId,
  checkDescription,
  checkMaxInFlight,
  checkMethod,
  checkOfTopics,
  checkRateLimit,
  checkTimeout,
  checkUid,
} from './endpoint-checks.ts'
import type { EndpointChange } from './endpoint-input.ts'
import { readHealthSettings } from './health-settings.ts'
import { readRetryPolicy } from './subscriptions.ts'

export interface SettingsContext {
  readonly words: FaceWords
  readonly checkUrl: (url: string) => Promise<URL>
}

export async function readEndpointSettings(
  input: EndpointChange,
  { words, checkUrl }: SettingsContext,
): Promise<EndpointPatch> {
  checkOfTopics(input)
  return {
    ...(input.url !== undefined && { url: (await checkUrl(input.url)).href }),
    ...(input.uid !== undefined && { uid: input.uid === null ? null : checkUid(input.uid) }),
    ...(input.description !== undefined && { description: checkDescription(input.description) }),
    ...(input.method !== undefined && { method: checkMethod(input.method) }),
    ...(input.headers !== undefined && { headers: parseStoredHeaders(input.headers) }),
    ...(input.contentType !== undefined && {
      contentType: checkContentType(input.contentType, words.member('content_type')),
    }),
    ...(input.timeout !== undefined && { timeoutMs: checkTimeout(input.timeout) }),
    ...(input.signingSchemes !== undefined && {
      signingSchemes: validateSigningSchemes(input.signingSchemes, words.member('signing_schemes')),
    }),
    ...(input.maxInFlight !== undefined && {
      maxInFlight: checkMaxInFlight(input.maxInFlight, words.member('max_in_flight')),
    }),
    ...(input.rateLimitRps !== undefined && {
      rateLimitRps: checkRateLimit(input.rateLimitRps, words.member('rate_limit_rps')),
    }),
    ...(input.retryPolicy !== undefined && {
      retryPolicy: readRetryPolicy(input.retryPolicy, words.member('retry_policy')),
    }),
    ...readHealthSettings(input, words),
    ...(input.credentialId !== undefined && {
      credentialId: checkCredentialId(input.credentialId, words.member('credential_id')),
    }),
    ...(input.clientCertificateId !== undefined && {
      clientCertificateId: checkCredentialId(
        input.clientCertificateId,
        words.member('client_certificate_id'),
      ),
    }),
  }
}

/** Null: JSON. */
function checkContentType(given: unknown, member: string): string | null {
  return given === null ? null : checkMediaType(given, member)
}

/** Of a new endpoint. */
export function wholeHealthSettings(given: Partial<HealthSettings>): HealthSettings {
  const { breakerThreshold = null, breakerPauseMs = null } = given
  const { breakerMaxPauseMs = null, disableAfterMs = null } = given
  return { breakerThreshold, breakerPauseMs, breakerMaxPauseMs, disableAfterMs }
}
