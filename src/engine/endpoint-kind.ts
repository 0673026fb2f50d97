/** What the kind of an endpoint takes of what its caller says. */
import { urlContext } from '../core/endpoint-url.ts'
import { OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import type { Endpoint } from '../core/model.ts'
import type { SecretBox } from '../core/secret-box.ts'
import { defaultKind, type Kinds } from '../destinations/kinds.ts'
import type { DestinationKind, KindAddress, KindMember } from '../destinations/port.ts'
import type { EndpointChange, EndpointInput } from './endpoint-input.ts'

/** The names of members in JSON. */
const memberNames: Readonly<Record<KindMember, string>> = {
  urls: 'urls',
  failOver: 'fail_over',
  method: 'method',
  headers: 'headers',
  contentType: 'content_type',
  signingSchemes: 'signing_schemes',
  credentialId: 'credential_id',
  clientCertificateId: 'client_certificate_id',
  secret: 'secret',
  keyType: 'key_type',
  settings: 'settings',
}

/** Errors: unprocessable. */
export function readKindName(given: unknown, kinds: Kinds): string {
  if (given === undefined) return defaultKind
  if (typeof given === 'string' && Object.hasOwn(kinds, given)) return given
  throw new OuthookError('unprocessable', `kind must be one of ${Object.keys(kinds).join(', ')}`)
}

/** Of an endpoint that there is. A kind that another version knows is treated as one that takes nothing. */
export function kindOf({ kind }: Pick<Endpoint, 'kind'>, kinds: Kinds): DestinationKind {
  const found = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
  if (found !== undefined) return found
  throw new OuthookError(
    'conflict',
    `the endpoint is of the kind ${JSON.stringify(kind)}, which this version of Outhook does not know; use one that does`,
  )
}

/** Errors: conflict, where a kind is given that is not the endpoint's. */
export function refuseOtherKind({ id, kind }: Pick<Endpoint, 'id' | 'kind'>, given: unknown): void {
  if (given === undefined || given === kind) return
  throw new OuthookError(
    'conflict',
    `kind never changes, and ${id} is of the kind "${kind}"; make another endpoint, and delete this one`,
    { title: 'kind immutable' },
  )
}

/** Errors: unprocessable, which names the member. */
export function refuseMembers(
  input: EndpointChange & Pick<EndpointInput, 'secret' | 'keyType'>,
  kind: DestinationKind,
  words: FaceWords,
): void {
  for (const [member, name] of Object.entries(memberNames) as [KindMember, string][]) {
    const given = input[member]
    if (given === undefined || given === null || kind.takes.includes(member)) continue
    throw new OuthookError(
      'unprocessable',
      `${kind.title} takes no ${words.member(name)}; leave it out, or make an endpoint of another kind`,
    )
  }
}

export type KeptAddress = Pick<Endpoint, 'url' | 'sealedUrl'>

/** As it is kept: the whole, or sealed with a part that may be shown. */
export function keepAddress(
  { address, shown }: KindAddress,
  { endpointId, secretBox }: { readonly endpointId: string; readonly secretBox: Pick<SecretBox, 'seal'> },
): KeptAddress {
  if (shown === undefined) return { url: address, sealedUrl: null }
  if (address !== shown) return { url: shown, sealedUrl: secretBox.seal(address, urlContext(endpointId)) }
  throw new OuthookError(
    'unprocessable',
    'url is what is shown of it, with *** in place of its secret; give the whole URL',
  )
}
