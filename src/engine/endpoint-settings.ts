/** The members of an endpoint that a caller gives, checked. */
import { parseStoredHeaders } from '../core/custom-headers.ts'
import { OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import type { HealthSettings } from '../core/health-settings.ts'
import { checkMediaType } from '../core/media-type.ts'
import { limits } from '../core/model.ts'
import type { RetryPolicies } from '../core/retry-policies.ts'
import { validateSigningSchemes } from '../core/signing-schemes.ts'
import type { DestinationKind } from '../destinations/port.ts'
import type { EndpointPatch } from '../store/port.ts'
import {
  checkCredentialId,
  checkDescription,
  checkFlag,
  checkMaxInFlight,
  checkMethod,
  checkOfTopics,
  checkRateLimit,
  checkTimeout,
  checkUid,
} from './endpoint-checks.ts'
import type { EndpointChange } from './endpoint-input.ts'
import { type KeptAddress, refuseMembers } from './endpoint-kind.ts'
import { readHealthSettings } from './health-settings.ts'

export interface SettingsContext {
  readonly words: FaceWords
  readonly retryPolicies: RetryPolicies
  readonly kind: DestinationKind
  /** Checked, and as it is kept. */
  readonly readUrl: (url: string) => Promise<KeptAddress>
}

export async function readEndpointSettings(
  input: EndpointChange,
  { words, retryPolicies, kind, readUrl }: SettingsContext,
): Promise<EndpointPatch> {
  refuseMembers(input, kind, words)
  checkOfTopics(input)
  return {
    ...(await readUrls(input, readUrl)),
    ...(input.failOver !== undefined && {
      failOver: checkFlag(input.failOver, words.member('fail_over')),
    }),
    ...(input.settings !== undefined && { settings: kind.readSettings(input.settings, 'settings') }),
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
      retryPolicy: retryPolicies.read(input.retryPolicy, words.member('retry_policy')),
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

type Urls = Pick<EndpointPatch, 'url' | 'sealedUrl' | 'moreUrls'>

/** `url` is a pool of one: what is left out of either is no part of the pool any more. */
async function readUrls(
  { url, urls }: Pick<EndpointChange, 'url' | 'urls'>,
  readUrl: SettingsContext['readUrl'],
): Promise<Urls> {
  if (url !== undefined && urls !== undefined) {
    throw new OuthookError('unprocessable', 'url and urls are both given; give one of them')
  }
  if (url !== undefined) return { ...(await readUrl(url)), moreUrls: [] }
  if (urls === undefined) return {}
  if (!Array.isArray(urls) || urls.length === 0 || urls.length > limits.maxUrls) {
    throw new OuthookError('unprocessable', `urls must be a list of 1 to ${limits.maxUrls} URLs`)
  }
  const checked: string[] = []
  for (const [index, each] of urls.entries()) {
    const { url: href } = await readUrl(each)
    if (checked.includes(href)) {
      throw new OuthookError('unprocessable', `urls[${index}] stands there twice; name each URL once`)
    }
    checked.push(href)
  }
  const [first = '', ...moreUrls] = checked
  return { url: first, sealedUrl: null, moreUrls }
}
