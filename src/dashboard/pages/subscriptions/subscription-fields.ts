/** What can be set of a subscription, in words for people. */
import type { Subscription } from '../../../client/index.ts'
import {
  asJsonOrNull,
  asList,
  asPairs,
  asText,
  asTick,
  asWordOrJson,
  type FormField,
  showJson,
  showPairs,
  showWordOrJson,
} from '../../kit/form-fields.ts'

type Field = FormField<Subscription>

export const subscriptionFields: readonly Field[] = [
  {
    name: 'topic_patterns',
    member: 'topicPatterns',
    label: 'Topics',
    hint: 'Patterns such as orders.created or orders.*, one on each line; * alone is every topic.',
    control: { kind: 'topics', rows: 3, placeholder: 'orders.*' },
    read: (of) => of?.topicPatterns.join('\n') ?? '',
    parse: asList,
  },
  {
    name: 'filter',
    member: 'filter',
    label: 'Filter',
    hint: 'JSON: what payloads have to be like, such as {"total": {"$gte": 100}}. Empty: payloads may be anything.',
    control: { kind: 'lines', rows: 4 },
    read: (of) => showJson(of?.filter),
    parse: asJsonOrNull('filter'),
  },
  {
    name: 'active',
    member: 'active',
    label: 'Events go to it',
    control: { kind: 'tick' },
    read: (of) => String(of?.active ?? true),
    parse: asTick,
  },
  {
    name: 'headers',
    member: 'headers',
    label: 'Headers',
    hint: '"Name: value" on each line; they win over those of the endpoint.',
    control: { kind: 'lines', rows: 3 },
    isFurther: true,
    read: (of) => showPairs(of?.headers ?? {}),
    parse: asPairs('headers'),
  },
  {
    name: 'retry_policy',
    member: 'retryPolicy',
    label: 'Retry policy',
    hint: 'The name of a profile such as standard, or JSON; empty: that of the endpoint, the tenant, or the server.',
    control: { kind: 'lines', rows: 2 },
    isFurther: true,
    read: (of) => showWordOrJson(of?.retryPolicy),
    parse: asWordOrJson('retry_policy'),
  },
]

/** Of a new one alone: they never change. */
export function newSubscriptionFields(endpointId: string): readonly Field[] {
  return [
    {
      name: 'endpoint_id',
      member: 'endpointId',
      label: 'Endpoint',
      hint: 'The id of where events go.',
      control: { kind: 'text', isRequired: true, placeholder: 'ep_…' },
      read: () => endpointId,
      parse: asText,
    },
    ...subscriptionFields,
    {
      name: 'ordered',
      member: 'ordered',
      label: 'One after the other for each ordering key, in the order of publishing',
      hint: 'It cannot be changed later.',
      control: { kind: 'tick' },
      read: () => 'false',
      parse: asTick,
    },
  ]
}
