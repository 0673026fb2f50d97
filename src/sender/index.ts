/** `outhook/sender`: one good `send()`, without a store. */
import '../required-node.ts'

export type { Clock } from '../core/clock.ts'
export { OuthookError } from '../core/errors.ts'
export type { HmacScheme, NamedScheme, SigningScheme, SigningSchemeInput } from '../core/signing-scheme.ts'
export type { AddressPolicyOptions } from './address-policy.ts'
export { createSender, type SenderOptions } from './create-sender.ts'
export type { Pacer } from './pacer.ts'
export type { AttemptRequest, AttemptResult, RequestMethod, Sender } from './port.ts'
export { ProxyPool, type ProxyPoolOptions, type ProxyState } from './proxy-pool.ts'
export type { ProxyEntry, ProxyProvider } from './proxy-provider.ts'
export { Webhook } from './webhook.ts'
export type {
  AttemptEvent,
  BackoffOptions,
  SendOptions,
  SigningOptions,
  WebhookHooks,
  WebhookOptions,
} from './webhook-options.ts'
export { type WebhookErrorCode, WebhookResult } from './webhook-result.ts'
