/** Headers of a pyfly subscription: what an endpoint has as headers, and what has to be a credential. */
import { headerNameProblem, headerValueProblem, isSecretName } from '../../core/custom-headers.ts'
import type { CallbackHeader, Place } from './callback-file.ts'
import type { CredentialContent, Remark, Remarks } from './import-plan.ts'

export interface PlannedHeaders {
  /** In the order of their names, which are in lower case. */
  readonly headers: readonly (readonly [string, string])[]
  readonly credential: CredentialContent | null
  /** User and password stood in the URL. */
  readonly fromUrl: boolean
}

interface Given {
  /** Of the subscription. */
  readonly place: Place
  readonly headers: readonly CallbackHeader[]
  readonly url: URL
  readonly isSigned: boolean
}

/** Null, with a remark: it needs more than an endpoint can have. */
export function planHeaders(given: Given, remark: Remarks): PlannedHeaders | null {
  const headers = new Map<string, string>()
  const secrets = new Map<string, CallbackHeader>()
  for (const header of given.headers) {
    const name = header.name.toLowerCase()
    const problem = problemOf(header, given.isSigned)
    if (problem !== null) remark({ place: header.place, ...problem, isLoss: false })
    else if (isSecretName(name)) secrets.set(name, header)
    else headers.set(name, header.value)
  }
  const fromUrl = given.url.username !== '' || given.url.password !== ''
  // As pyfly's client does: what the headers say wins over the URL.
  const ofUrl = fromUrl && !secrets.has('authorization') ? basicOf(given.url) : null
  const credentials = [...[...secrets.values()].map(credentialOf), ...(ofUrl === null ? [] : [ofUrl])]
  if (credentials.length > 1) {
    const names = [...secrets.keys(), ...(ofUrl === null ? [] : ['user and password of the URL'])]
    remark({
      place: given.place,
      problem: `has ${credentials.length} secrets (${names.join(', ')}), and an endpoint has one credential`,
      advice: 'leave one to the receiver, or put a proxy before it that adds the other; then import again',
      isLoss: true,
    })
    return null
  }
  const sorted = [...headers].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return { headers: sorted, credential: credentials[0] ?? null, fromUrl }
}

type Problem = Pick<Remark, 'problem' | 'advice'>

function problemOf({ name, value }: CallbackHeader, isSigned: boolean): Problem | null {
  if (name.toLowerCase() === 'x-pyfly-signature') {
    return isSigned
      ? { problem: 'is replaced by the signature, as in pyfly', advice: 'nothing' }
      : {
          problem: 'is no signature: the config has no secret',
          advice: 'give the config a secret if receivers look at it',
        }
  }
  const nameProblem = headerNameProblem(name)
  if (nameProblem !== null) {
    return { problem: nameProblem, advice: 'nothing, unless its receiver reads it; then use another name' }
  }
  const valueProblem = headerValueProblem(value)
  if (valueProblem === null) return null
  return { problem: valueProblem, advice: 'change the value if the receiver reads it, and import again' }
}

function credentialOf({ name, value }: CallbackHeader): CredentialContent {
  if (name.toLowerCase() === 'authorization') {
    const token = /^Bearer ([\x21-\x7e]+)$/.exec(value)?.[1]
    if (token !== undefined) return { kind: 'bearer', token }
    const basic = readBasic(/^Basic ([A-Za-z0-9+/]+=*)$/.exec(value)?.[1])
    if (basic !== null) return basic
  }
  if (/api[-_]?key/i.test(name)) return { kind: 'api_key', headerName: name, apiKey: value }
  return { kind: 'custom_header', headerName: name, headerValue: value }
}

/** Null for what would not come out of a credential byte for byte as it went in. */
function readBasic(encoded: string | undefined): CredentialContent | null {
  if (encoded === undefined) return null
  const text = Buffer.from(encoded, 'base64').toString()
  const colon = text.indexOf(':')
  const [username, password] = [text.slice(0, colon), text.slice(colon + 1)]
  const isExact = Buffer.from(text).toString('base64') === encoded && !/\p{Cc}/u.test(text)
  return colon < 1 || password === '' || !isExact ? null : { kind: 'basic', username, password }
}

function basicOf(url: URL): CredentialContent {
  const [username, password] = [decode(url.username), decode(url.password)]
  if (username !== '' && password !== '') return { kind: 'basic', username, password }
  const value = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  return { kind: 'custom_header', headerName: 'Authorization', headerValue: value }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
