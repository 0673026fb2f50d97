/** How bad it is, and what follows from that: channel, colour, label. */

/** `P0` wakes people up; `DEV` is for whoever is building it. */
export type Severity = 'P0' | 'P1' | 'P2' | 'P3' | 'DEV'

/** Any name is a channel; these are what the severities are routed to. */
export const defaultChannels = {
  alerts: 'alerts',
  info: 'info',
  trades: 'trades',
  dev: 'dev',
  audit: 'audit',
} as const

export const severities: readonly Severity[] = ['P0', 'P1', 'P2', 'P3', 'DEV']

export const auditColor = 0xffffff

/** 4 for `P0` down to 0 for `DEV`, to compare by. */
export function severityRank(severity: Severity): number {
  return severities.length - 1 - severities.indexOf(severity)
}

/** `?` for what is none. */
export function severityLabel(severity: unknown): string {
  return isSeverity(severity) ? severity : '?'
}

export function isSeverity(value: unknown): value is Severity {
  return severities.includes(value as Severity)
}

export function channelFor(severity: Severity, isTrade = false): string {
  switch (severity) {
    case 'P0':
    case 'P1':
      return defaultChannels.alerts
    case 'P2':
      return defaultChannels.info
    case 'P3':
      return isTrade ? defaultChannels.trades : defaultChannels.info
    case 'DEV':
      return defaultChannels.dev
  }
}

export function colorFor(severity: Severity, isTrade = false): number {
  switch (severity) {
    case 'P0':
      return 0xff0000
    case 'P1':
      return 0xff8800
    case 'P2':
      return 0xffcc00
    case 'P3':
      return isTrade ? 0x3399ff : 0x00cc66
    case 'DEV':
      return 0x808080
  }
}
