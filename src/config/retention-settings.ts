/** Settings of how long what is over is kept. */
import { defaultAuditRetentionMs } from '../core/audit.ts'
import { setting } from './setting.ts'
import * as types from './value-types.ts'

export const retentionSettings = {
  retainPayloadsMs: setting({
    name: 'retain-payloads',
    type: types.durationOrZero,
    default: 30 * 86_400_000,
    description:
      'How long the payload of an event is kept; longer while a delivery of it waits or is a dead letter within `retain-dead-letters`. 0 is for ever.',
  }),
  retainAttemptsMs: setting({
    name: 'retain-attempts',
    type: types.durationOrZero,
    default: 30 * 86_400_000,
    description: 'How long the log of attempts is kept, with what receivers answered. 0 is for ever.',
  }),
  retainDeadLettersMs: setting({
    name: 'retain-dead-letters',
    type: types.durationOrZero,
    default: 90 * 86_400_000,
    description: 'How long a dead letter can be replayed. 0 is for ever.',
  }),
  retainEventsMs: setting({
    name: 'retain-events',
    type: types.durationOrZero,
    default: 90 * 86_400_000,
    description:
      'How long a delivery is shown after its end, and an event without its payload, with the deliveries that it still has. 0 is for ever.',
  }),
  retainAuditMs: setting({
    name: 'retain-audit',
    type: types.durationOrZero,
    default: defaultAuditRetentionMs,
    description: 'How long a line of the audit log is kept. 0 is for ever.',
  }),
  retainJobsMs: setting({
    name: 'retain-jobs',
    type: types.durationOrZero,
    default: 30 * 86_400_000,
    description: 'How long a job is shown after its end. 0 is for ever.',
  }),
} as const
