// Written from the OpenAPI document by "npm run docs:reference"; do not edit.

import type * as types from './types.ts'

/** What the caller made, and keeps the names that are in it; names are those of the API's JSON. */
export const keptNames = {
  AuditLine: { before: true, after: true },
  AuditLinePage: { items: 'AuditLine' },
  BatchEvent: { payload: true, metadata: true },
  CreatedEndpoint: { headers: true, signing_schemes: 'SigningScheme', filter: 'Filter' },
  DirectSend: { headers: true, payload: true, metadata: true },
  Endpoint: { headers: true, signing_schemes: 'SigningScheme', filter: 'Filter' },
  EndpointChange: { headers: true, signing_schemes: 'SigningScheme', filter: 'Filter' },
  EndpointCreate: { headers: true, signing_schemes: 'SigningScheme', filter: 'Filter' },
  EndpointPage: { items: 'Endpoint' },
  EndpointTest: { payload: true },
  Event: { metadata: true, request: { headers: true } },
  EventPage: { items: 'Event' },
  EventStatus: { metadata: true, request: { headers: true } },
  EventType: { schema: true, example: true },
  EventTypeChange: { schema: true, example: true },
  EventTypeCreate: { schema: true, example: true },
  EventTypeImport: { document: true },
  EventTypePage: { items: 'EventType' },
  FailedCondition: { condition: true },
  Filter: true,
  PublishBatch: { events: 'BatchEvent' },
  PublishEvent: { payload: true, metadata: true },
  SigningScheme: { headers: true },
  Subscription: { filter: 'Filter', headers: true },
  SubscriptionChange: { filter: 'Filter', headers: true },
  SubscriptionCreate: { filter: 'Filter', headers: true },
  SubscriptionPage: { items: 'Subscription' },
  SubscriptionPreview: { filter: 'Filter', payload: true },
  SubscriptionPreviewed: { items: { failed: 'FailedCondition' } },
  Tenant: { metadata: true },
  TenantChange: { metadata: true },
  TenantCreate: { metadata: true },
  TenantPage: { items: 'Tenant' },
} as const

export interface NamedTypes {
  readonly AdminToken: types.AdminToken
  readonly AdminTokenCreate: types.AdminTokenCreate
  readonly AdminTokenPage: types.AdminTokenPage
  readonly Attempt: types.Attempt
  readonly AttemptWithResponse: types.AttemptWithResponse
  readonly AuditLine: types.AuditLine
  readonly AuditLinePage: types.AuditLinePage
  readonly Backfill: types.Backfill
  readonly BatchEvent: types.BatchEvent
  readonly BatchItemResult: types.BatchItemResult
  readonly BatchResult: types.BatchResult
  readonly CancelMany: types.CancelMany
  readonly Cancelled: types.Cancelled
  readonly CapturedResponse: types.CapturedResponse
  readonly CreatedAdminToken: types.CreatedAdminToken
  readonly CreatedEndpoint: types.CreatedEndpoint
  readonly CreatedKey: types.CreatedKey
  readonly CreatedPortalLink: types.CreatedPortalLink
  readonly Credential: types.Credential
  readonly CredentialChange: types.CredentialChange
  readonly CredentialCreate: types.CredentialCreate
  readonly CredentialPage: types.CredentialPage
  readonly DeadLetter: types.DeadLetter
  readonly DeadLetterPage: types.DeadLetterPage
  readonly DeadLetterReasons: types.DeadLetterReasons
  readonly Delivery: types.Delivery
  readonly DeliveryCounts: types.DeliveryCounts
  readonly DeliveryDetail: types.DeliveryDetail
  readonly DeliveryOfEvent: types.DeliveryOfEvent
  readonly DeliveryPage: types.DeliveryPage
  readonly DeliveryStates: types.DeliveryStates
  readonly DirectSend: types.DirectSend
  readonly DirectSendReceipt: types.DirectSendReceipt
  readonly DryRun: types.DryRun
  readonly EffectiveHealth: types.EffectiveHealth
  readonly EffectiveRetryPolicy: types.EffectiveRetryPolicy
  readonly Enable: types.Enable
  readonly Endpoint: types.Endpoint
  readonly EndpointChange: types.EndpointChange
  readonly EndpointCreate: types.EndpointCreate
  readonly EndpointPage: types.EndpointPage
  readonly EndpointPublicKey: types.EndpointPublicKey
  readonly EndpointPublicKeys: types.EndpointPublicKeys
  readonly EndpointSecret: types.EndpointSecret
  readonly EndpointSecrets: types.EndpointSecrets
  readonly EndpointSettings: types.EndpointSettings
  readonly EndpointStats: types.EndpointStats
  readonly EndpointTest: types.EndpointTest
  readonly EndpointTestResult: types.EndpointTestResult
  readonly EndpointsStats: types.EndpointsStats
  readonly Event: types.Event
  readonly EventPage: types.EventPage
  readonly EventStatus: types.EventStatus
  readonly EventType: types.EventType
  readonly EventTypeChange: types.EventTypeChange
  readonly EventTypeCreate: types.EventTypeCreate
  readonly EventTypeImport: types.EventTypeImport
  readonly EventTypeImportReport: types.EventTypeImportReport
  readonly EventTypePage: types.EventTypePage
  readonly Expunged: types.Expunged
  readonly FailedCondition: types.FailedCondition
  readonly Filter: types.Filter
  readonly Finding: types.Finding
  readonly HookrailBackoff: types.HookrailBackoff
  readonly HookrailMaxAttempts: types.HookrailMaxAttempts
  readonly Job: types.Job
  readonly JobPage: types.JobPage
  readonly Key: types.Key
  readonly KeyChange: types.KeyChange
  readonly KeyCreate: types.KeyCreate
  readonly KeyPage: types.KeyPage
  readonly MasterKey: types.MasterKey
  readonly NewSecret: types.NewSecret
  readonly Node: types.Node
  readonly OrderedKey: types.OrderedKey
  readonly OrderedKeyPage: types.OrderedKeyPage
  readonly OutcomeCount: types.OutcomeCount
  readonly Pause: types.Pause
  readonly PayloadWarning: types.PayloadWarning
  readonly Portal: types.Portal
  readonly PortalLink: types.PortalLink
  readonly PortalLinkCreate: types.PortalLinkCreate
  readonly PortalLinkPage: types.PortalLinkPage
  readonly Problem: types.Problem
  readonly PublishBatch: types.PublishBatch
  readonly PublishEvent: types.PublishEvent
  readonly PublishReceipt: types.PublishReceipt
  readonly RateLimit: types.RateLimit
  readonly RebuiltRequest: types.RebuiltRequest
  readonly RecentStats: types.RecentStats
  readonly Replay: types.Replay
  readonly ReplayMany: types.ReplayMany
  readonly Resent: types.Resent
  readonly RetryPolicy: types.RetryPolicy
  readonly RevealedSecret: types.RevealedSecret
  readonly RotateKey: types.RotateKey
  readonly RotateSecret: types.RotateSecret
  readonly RotatedKey: types.RotatedKey
  readonly Setting: types.Setting
  readonly SettingSource: types.SettingSource
  readonly SignIn: types.SignIn
  readonly SignInCode: types.SignInCode
  readonly SigningScheme: types.SigningScheme
  readonly Skip: types.Skip
  readonly Skipped: types.Skipped
  readonly Stats: types.Stats
  readonly StatsBucket: types.StatsBucket
  readonly StatsSeries: types.StatsSeries
  readonly StreamEnded: types.StreamEnded
  readonly StreamItem: types.StreamItem
  readonly StreamMissed: types.StreamMissed
  readonly StreamStarted: types.StreamStarted
  readonly StreamedAttempt: types.StreamedAttempt
  readonly StreamedDelivery: types.StreamedDelivery
  readonly StreamedEndpoint: types.StreamedEndpoint
  readonly StreamedEvent: types.StreamedEvent
  readonly StreamedJob: types.StreamedJob
  readonly Subscription: types.Subscription
  readonly SubscriptionChange: types.SubscriptionChange
  readonly SubscriptionCreate: types.SubscriptionCreate
  readonly SubscriptionPage: types.SubscriptionPage
  readonly SubscriptionPreview: types.SubscriptionPreview
  readonly SubscriptionPreviewed: types.SubscriptionPreviewed
  readonly System: types.System
  readonly SystemStore: types.SystemStore
  readonly Tenant: types.Tenant
  readonly TenantChange: types.TenantChange
  readonly TenantCreate: types.TenantCreate
  readonly TenantPage: types.TenantPage
  readonly TenantRemoval: types.TenantRemoval
  readonly TenantSettings: types.TenantSettings
  readonly TenantSettingsChange: types.TenantSettingsChange
  readonly Trouble: types.Trouble
  readonly TroubledEndpoint: types.TroubledEndpoint
  readonly Whoami: types.Whoami
}
