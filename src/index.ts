/** `outhook`: the library. */
import './required-node.ts'

export type { Actor, ActorKind, AuditedKind, AuditLine, AuditMembers } from './core/audit.ts'
export { BacklogFullError } from './core/backlog-full-error.ts'
export { type ErrorCode, OuthookError } from './core/errors.ts'
export type { EventType, EventTypeMode } from './core/event-type.ts'
export type { FilterInput } from './core/filter/condition.ts'
export type { Job, JobFilter, JobKind, JobState } from './core/jobs.ts'
export type { LogFields, Logger } from './core/logger.ts'
export type {
  AdminRole,
  ApiKey,
  Attempt,
  AttemptStatus,
  CapturedResponse,
  DeadLetter,
  Delivery,
  DeliveryState,
  DisabledReason,
  Endpoint,
  ErrorClass,
  EventState,
  KeyAbility,
  OutboundEvent,
  Subscription,
  WaitReason,
} from './core/model.ts'
export type { PortalAbility, PortalLink } from './core/portal.ts'
export type { EffectiveRetryPolicy, PolicySource } from './core/retry-policy.ts'
export type { RetryPolicyObject } from './core/retry-policy-json.ts'
export type { HmacScheme, NamedScheme, SigningScheme, SigningSchemeInput } from './core/signing-scheme.ts'
export type {
  StreamedAttempt,
  StreamedDelivery,
  StreamedEndpoint,
  StreamedEvent,
  StreamedJob,
  StreamItem,
  StreamKind,
  StreamMissed,
} from './core/stream-item.ts'
export type { ChangeOptions, IfMatch } from './core/version.ts'
export type { AttemptActivity, EndpointDisabledActivity } from './delivery/activity.ts'
export type { ExpiringCertificate } from './delivery/certificate-watch.ts'
export type { CreatedKey, RotatedKey } from './engine/api-keys.ts'
export type { DeliveryDetail, SkipOptions, SkippedDelivery } from './engine/deliveries.ts'
export type { DeliveryView } from './engine/delivery-view.ts'
export type { SendReceipt } from './engine/direct-sends.ts'
export type { EndpointChange, EndpointInput } from './engine/endpoint-input.ts'
export type {
  CreatedEndpoint,
  EndpointState,
  EndpointView,
  UpsertedEndpoint,
} from './engine/endpoint-view.ts'
export type { EventFilter } from './engine/event-filter.ts'
export type { EventTypeChange, EventTypeInput } from './engine/event-type-input.ts'
export type { DeliveryWithAttempts, EventStatus } from './engine/events.ts'
export type { ImportedType, ImportInput, ImportReport } from './engine/import-event-types.ts'
export type { BackfillInput, CancelManyInput, DryRun, JobInput } from './engine/jobs.ts'
export type { AdminTokenInput, KeyChange, KeyInput } from './engine/key-input.ts'
export type { OrderedKey } from './engine/ordered-keys.ts'
export type { PayloadWarning } from './engine/payload-rules.ts'
export type { CreatedPortalLink, PortalLinkInput } from './engine/portal-links.ts'
export type {
  PreviewedEvent,
  PreviewInput,
  PreviewResult,
} from './engine/subscription-preview.ts'
export type { SubscriptionView } from './engine/subscription-view.ts'
export type { SubscriptionChange, SubscriptionInput } from './engine/subscriptions.ts'
export type { TenantSettingsInput, TenantSettingsView } from './engine/tenant-settings.ts'
export type { TenantInput, TenantView, UpsertedTenant } from './engine/tenants.ts'
export {
  type Duration,
  type OpenOptions,
  Outhook,
  type PortalLinkOrder,
} from './outhook.ts'
export type { OuthookEvents } from './outhook-events.ts'
export type { PublishInput } from './publish-input.ts'
export { type PublishIntoOptions, publishInto } from './publish-into.ts'
export type { SendInput } from './send-input.ts'
export type {
  AuditFilter,
  DeadLetterFilter,
  DeliveryFilter,
  EventListing,
  EventTypeFilter,
  OrderedKeyFilter,
  Page,
  PageRequest,
  TransactionClient,
} from './store/port.ts'
export { outboxSql, type SqliteDatabase } from './store/sqlite/outbox/outbox-table.ts'
export type { StreamOptions } from './stream-items.ts'
export type {
  OfTenant,
  PublishedEvent,
  PublishManyResult,
  PublishOptions,
  TenantHooks,
} from './tenant-hooks.ts'
