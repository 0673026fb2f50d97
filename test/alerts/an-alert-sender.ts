/** Alert senders that end with their test, and a log that is kept. */
import { onTestFinished } from 'vitest'
import type { Alert } from '../../src/alerts/alert.ts'
import type { AlertSenderOptions } from '../../src/alerts/alert-options.ts'
import { AlertSender } from '../../src/alerts/alert-sender.ts'
import type { LogFields, Logger } from '../../src/core/logger.ts'

export function anAlertSender(options: Partial<AlertSenderOptions>): AlertSender {
  const alerts = new AlertSender({ channels: {}, random: () => 0.5, ...options })
  onTestFinished(async () => {
    await alerts.close({ timeoutMs: 0 })
  })
  return alerts
}

export function anAlert(parts: Partial<Alert> = {}): Alert {
  return { severity: 'P1', title: 'Disk full', ...parts }
}

export interface KeptLog extends Logger {
  readonly lines: readonly (readonly [fields: LogFields, message: string])[]
}

export function aLog(): KeptLog {
  const lines: (readonly [LogFields, string])[] = []
  const keep = (fields: LogFields, message: string): void => {
    lines.push([fields, message])
  }
  return { lines, debug: keep, info: keep, warn: keep, error: keep }
}
