/** What can be set of an endpoint, in words for people. */
import { endpointKinds } from '../../../client/generated/endpoint-kinds.ts'
import type { Endpoint } from '../../../client/index.ts'
import {
  asJsonOrNull,
  asList,
  asNumberOrNull,
  asPairs,
  asText,
  asTextOrNull,
  asTick,
  asWordOrJson,
  type FormField,
  showJson,
  showNumber,
  showPairs,
  showWordOrJson,
} from '../../kit/form-fields.ts'

type Field = FormField<Endpoint>

const main: readonly Field[] = [
  {
    name: 'urls',
    member: 'urls',
    label: 'URL',
    hint: 'https, of a public host, unless the server allows more. Several, one on each line, are a pool that requests go round.',
    control: { kind: 'lines', rows: 2, placeholder: 'https://example.com/webhooks' },
    read: (of) => of?.urls.join('\n') ?? '',
    parse: (text) => text.split(/\s+/).filter((one) => one !== ''),
  },
  {
    name: 'topics',
    member: 'topics',
    label: 'Topics',
    hint: 'Patterns such as orders.created or orders.*, one on each line; * alone is every topic. Without any it gets no events until it has a subscription.',
    control: { kind: 'topics', rows: 3, placeholder: 'orders.*' },
    read: (of) => of?.topics?.join('\n') ?? '',
    parse: asList,
  },
  {
    name: 'uid',
    member: 'uid',
    label: 'Your name for it (uid)',
    hint: 'Unique in its tenant; programs can find it by this.',
    read: (of) => of?.uid ?? '',
    parse: asTextOrNull,
  },
  {
    name: 'description',
    member: 'description',
    label: 'Description',
    read: (of) => of?.description ?? '',
    parse: asText,
  },
]

const requests: readonly Field[] = [
  {
    name: 'method',
    member: 'method',
    label: 'Method',
    hint: 'GET and DELETE carry no body.',
    control: {
      kind: 'choice',
      options: ['POST', 'PUT', 'PATCH', 'GET', 'DELETE'].map((one) => [one, one] as const),
    },
    isFurther: true,
    read: (of) => of?.method ?? 'POST',
    parse: asText,
  },
  {
    name: 'headers',
    member: 'headers',
    label: 'Headers',
    hint: '"Name: value" on each line. They are shown here to everybody, so secrets belong in a credential.',
    control: { kind: 'lines', rows: 3 },
    isFurther: true,
    read: (of) => showPairs(of?.headers ?? {}),
    parse: asPairs('headers'),
  },
  {
    name: 'content_type',
    member: 'contentType',
    label: 'Content type',
    isFurther: true,
    control: { kind: 'text', placeholder: 'application/json' },
    read: (of) => of?.contentType ?? '',
    parse: asTextOrNull,
  },
  {
    name: 'timeout',
    member: 'timeout',
    label: 'Timeout of one attempt',
    hint: 'From 1s to 60s; empty: as the server is set.',
    isFurther: true,
    read: (of) => of?.timeout ?? '',
    parse: asTextOrNull,
  },
  {
    name: 'fail_over',
    member: 'failOver',
    label: 'Where one URL of the pool cannot be reached, go on to the next in the same attempt',
    isFurther: true,
    control: { kind: 'tick' },
    read: (of) => String(of?.failOver ?? false),
    parse: asTick,
  },
  {
    name: 'signing_schemes',
    member: 'signingSchemes',
    label: 'Signing schemes',
    hint: 'standard, hookrail, pyfly, github, stripe, shopify, slack or none, with commas between them; or JSON for a form of your own.',
    isFurther: true,
    control: { kind: 'lines', rows: 1 },
    read: (of) => {
      const schemes = of?.signingSchemes ?? ['standard']
      return schemes.every((one) => typeof one === 'string') ? schemes.join(', ') : showJson(schemes)
    },
    parse: (text) => (text.startsWith('[') ? asJsonOrNull('signing_schemes')(text) : asList(text)),
  },
  {
    name: 'credential_id',
    member: 'credentialId',
    label: 'Credential',
    hint: 'The id of what its requests authenticate with; empty: nothing.',
    isFurther: true,
    read: (of) => of?.credentialId ?? '',
    parse: asTextOrNull,
  },
  {
    name: 'client_certificate_id',
    member: 'clientCertificateId',
    label: 'Client certificate',
    hint: 'The id of a credential that its connections show besides; empty: none.',
    isFurther: true,
    read: (of) => of?.clientCertificateId ?? '',
    parse: asTextOrNull,
  },
]

const pace: readonly Field[] = [
  {
    name: 'max_in_flight',
    member: 'maxInFlight',
    label: 'Requests at one time',
    isFurther: true,
    control: { kind: 'number' },
    read: (of) => showNumber(of?.maxInFlight),
    parse: asNumberOrNull('max_in_flight'),
  },
  {
    name: 'rate_limit_rps',
    member: 'rateLimitRps',
    label: 'Requests a second',
    hint: 'Empty: no limit.',
    isFurther: true,
    control: { kind: 'number' },
    read: (of) => showNumber(of?.rateLimitRps),
    parse: asNumberOrNull('rate_limit_rps'),
  },
  {
    name: 'filter',
    member: 'filter',
    label: 'Filter of its topics',
    hint: 'JSON: what payloads have to be like, such as {"total": {"$gte": 100}}.',
    isFurther: true,
    control: { kind: 'lines', rows: 3 },
    read: (of) => showJson(of?.filter),
    parse: asJsonOrNull('filter'),
  },
  {
    name: 'retry_policy',
    member: 'retryPolicy',
    label: 'Retry policy',
    hint: 'The name of a profile such as standard, or JSON; empty: that of the tenant, or the server.',
    isFurther: true,
    control: { kind: 'lines', rows: 2 },
    read: (of) => showWordOrJson(of?.retryPolicy),
    parse: asWordOrJson('retry_policy'),
  },
  {
    name: 'breaker_threshold',
    member: 'breakerThreshold',
    label: 'Failures in a row that pause it',
    hint: '0: never; empty: that of the tenant, or the server. The next three too.',
    isFurther: true,
    control: { kind: 'number' },
    read: (of) => showNumber(of?.breakerThreshold),
    parse: asNumberOrNull('breaker_threshold'),
  },
  {
    name: 'breaker_pause',
    member: 'breakerPause',
    label: 'The first pause',
    isFurther: true,
    read: (of) => of?.breakerPause ?? '',
    parse: asTextOrNull,
  },
  {
    name: 'breaker_max_pause',
    member: 'breakerMaxPause',
    label: 'The longest pause',
    isFurther: true,
    read: (of) => of?.breakerMaxPause ?? '',
    parse: asTextOrNull,
  },
  {
    name: 'disable_after',
    member: 'disableAfter',
    label: 'Disable it after failures alone for',
    hint: 'Such as 5d; 0: never.',
    isFurther: true,
    read: (of) => of?.disableAfter ?? '',
    parse: asTextOrNull,
  },
  {
    name: 'settings',
    member: 'settings',
    label: 'Settings of its kind',
    hint: 'JSON, of Discord and Slack: the template of its messages, such as {"template": "{{topic}}"}.',
    isFurther: true,
    control: { kind: 'lines', rows: 3 },
    read: (of) => showJson(of?.settings),
    parse: asJsonOrNull('settings'),
  },
]

export const endpointFields: readonly Field[] = [...main, ...requests, ...pace]

/** Of a new one alone: they never change. */
export const newEndpointFields: readonly Field[] = [
  {
    name: 'kind',
    member: 'kind',
    label: 'What it is',
    control: {
      kind: 'choice',
      options: Object.entries(endpointKinds),
    },
    read: () => 'http',
    parse: asText,
  },
  ...endpointFields,
  {
    name: 'key_type',
    member: 'keyType',
    label: 'Secret',
    isFurther: true,
    control: {
      kind: 'choice',
      options: [
        ['hmac', 'HMAC: sender and receiver share it'],
        ['ed25519', 'ed25519: the receiver needs the public key alone'],
      ],
    },
    read: () => 'hmac',
    parse: asText,
  },
]
