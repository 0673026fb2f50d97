import { expect, test } from 'vitest'
import type { Logger } from '../../src/core/logger.ts'
import type { AttemptActivity } from '../../src/delivery/activity.ts'
import { logTrouble } from '../../src/log-attempt.ts'

test('the line of a delivery that was given up names it, and nothing of what the receiver said', () => {
  const lines: unknown[] = []
  const ignore = () => {}
  const warn = (...line: unknown[]) => void lines.push(line)
  const log: Logger = { debug: ignore, info: ignore, error: ignore, warn }
  const attempt: AttemptActivity = {
    tenantId: 'ten_1',
    eventId: 'evt_1',
    deliveryId: 'dlv_1',
    endpointId: 'ep_1',
    subscriptionId: 'sub_1',
    topic: 'a',
    url: 'https://receiver.example',
    attemptNo: 20,
    status: 'permanent_failure',
    httpStatus: 422,
    errorClass: 'http_422',
    error: 'HTTP 422: said by the receiver',
    latencyMs: 1,
    state: 'dead_lettered',
    nextAttemptInMs: null,
  }
  logTrouble(log, attempt, 'delivery given up')
  const fields = {
    tenant_id: 'ten_1',
    event_id: 'evt_1',
    delivery_id: 'dlv_1',
    endpoint_id: 'ep_1',
    topic: 'a',
    url: 'https://receiver.example',
    attempt_count: 20,
    http_status: 422,
    error_class: 'http_422',
    next_attempt_in_ms: null,
  }
  expect(lines).toEqual([[fields, 'delivery given up']])
})
