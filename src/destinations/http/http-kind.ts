/** Endpoints that get what was published as the body of a signed HTTP request. */
import { carriesBody, type DirectRequest } from '../../core/direct-request.ts'
import { refuseDomain } from '../../core/domains.ts'
import type { Destination, DirectKind, EndpointParts } from '../port.ts'
import { HttpDestination, type HttpParts } from './http-destination.ts'

export const http: DirectKind = {
  title: 'an HTTP endpoint',
  takes: [
    'urls',
    'failOver',
    'method',
    'headers',
    'contentType',
    'signingSchemes',
    'credentialId',
    'clientCertificateId',
    'secret',
    'keyType',
  ],
  defaults: {},
  settingsSchema: null,
  readSettings: () => null,
  readAddress: async (given, checkUrl) => ({ address: (await checkUrl(given)).href }),

  prepare({ endpoint, authorizedDomains, secrets }: EndpointParts): HttpDestination {
    return new HttpDestination({
      ...addressesOf(endpoint, authorizedDomains),
      method: endpoint.method,
      headers: headersOf(endpoint),
      timeoutMs: endpoint.timeoutMs,
      signingSchemes: endpoint.signingSchemes,
      credentialId: endpoint.credentialId,
      clientCertificateId: endpoint.clientCertificateId,
      secrets,
    })
  },

  /** As it was frozen, and signed with what its endpoint has now. */
  prepareDirect(
    request: DirectRequest,
    of: Destination | null,
    authorizedDomains: readonly string[],
  ): HttpDestination {
    const known = of instanceof HttpDestination ? of.parts : ofUrl
    const { method, headers, timeoutMs } = request
    const isSameUrl = known.address?.url.href === request.url
    const address = isSameUrl ? known.address : { kind: 'http' as const, url: new URL(request.url) }
    return new HttpDestination({
      address,
      pool: null,
      refusal: refuseDomain(address.url, authorizedDomains),
      method,
      headers,
      timeoutMs,
      signingSchemes: known.signingSchemes,
      credentialId: request.credentialId ?? known.credentialId,
      clientCertificateId: request.clientCertificateId ?? known.clientCertificateId,
      secrets: known.secrets,
    })
  },
}

/** A URL of a pool that its tenant may no longer send to is left out, unless none is left. */
function addressesOf(
  { url, moreUrls, failOver }: EndpointParts['endpoint'],
  authorizedDomains: readonly string[],
): Pick<HttpParts, 'address' | 'pool' | 'refusal'> {
  const first = new URL(url)
  const refusal = refuseDomain(first, authorizedDomains)
  if (moreUrls.length === 0) return { address: { kind: 'http', url: first }, pool: null, refusal }
  const allowed = [first, ...moreUrls.map((more) => new URL(more))].filter(
    (each) => refuseDomain(each, authorizedDomains) === null,
  )
  const [address] = allowed
  if (address === undefined) return { address: { kind: 'http', url: first }, pool: null, refusal }
  const addresses = allowed.map((each) => ({ url: each, href: each.href }))
  return { address: { kind: 'http', url: address }, pool: { addresses, failOver }, refusal: null }
}

/** A request without a body has no type. */
function headersOf({ method, headers, contentType }: EndpointParts['endpoint']): HttpParts['headers'] {
  const { 'content-type': own, ...others } = headers
  if (!carriesBody(method)) return others
  return { 'content-type': own ?? contentType ?? 'application/json', ...others }
}

/** To a URL nobody has a secret, so it goes unsigned. */
const ofUrl = {
  address: null,
  signingSchemes: [],
  credentialId: null,
  clientCertificateId: null,
  secrets: () => ({ active: [], primary: undefined }),
} as const
