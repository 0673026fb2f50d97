/** Log lines as alerts, for `pino.multistream`. */
import type { AlertSender } from './alert-sender.ts'
import type { Severity } from './severity.ts'

export interface PinoDestinationOptions {
  /** Lines of this level and above become alerts. Default 50, which is pino's `error`. */
  readonly minLevel?: number
  /** Default: `fatal` is P0, `error` P1, `warn` P2, below that P3. */
  readonly severityFor?: (level: number) => Severity
  /** Members of the line that are shown as fields. Default: all but pino's own, ten at most. */
  readonly fields?: readonly string[]
}

export interface PinoDestination {
  write(line: string): void
}

const ownMembers = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'err', 'name', 'v'])
const maxFields = 10
const maxStackChars = 3000

/**
 * The log line's message is the title; an `err` is shown with its stack. Never throws: what is not a pino line is
 * skipped. It runs in the thread of the logger; `outhook/alerts/pino` is the same as a `pino.transport`.
 *
 * @example
 * const log = pino({}, pino.multistream([{ stream: process.stdout }, { stream: createPinoDestination(alerts), level: 'error' }]))
 */
export function createPinoDestination(
  alerts: Pick<AlertSender, 'notify'>,
  options: PinoDestinationOptions = {},
): PinoDestination {
  const { minLevel = 50, severityFor = defaultSeverity } = options
  return {
    write(line) {
      try {
        const entry: Readonly<Record<string, unknown>> = JSON.parse(line)
        const level = Number(entry.level)
        if (!(level >= minLevel)) return
        const error = entry.err as { type?: string; message?: string; stack?: string } | undefined
        const title = String(entry.msg ?? error?.message ?? 'log line without a message')
        const stack = error?.stack?.slice(0, maxStackChars).replaceAll('```', "'''")
        alerts.notify({
          severity: severityFor(level),
          title,
          ...(stack === undefined ? {} : { description: `\`\`\`\n${stack}\n\`\`\`` }),
          fields: shownFields(entry, options.fields),
          ...(typeof entry.time === 'number' ? { timestamp: entry.time } : {}),
          ...(typeof entry.name === 'string' ? { footer: entry.name } : {}),
        })
      } catch {
        // Logging must not fail by its reader.
      }
    },
  }
}

function shownFields(entry: Readonly<Record<string, unknown>>, names: readonly string[] | undefined) {
  const shown =
    names ??
    Object.keys(entry)
      .filter((name) => !ownMembers.has(name))
      .slice(0, maxFields)
  return shown
    .filter((name) => entry[name] !== undefined)
    .map((name) => ({
      name,
      value: typeof entry[name] === 'string' ? entry[name] : JSON.stringify(entry[name]),
    }))
}

function defaultSeverity(level: number): Severity {
  if (level >= 60) return 'P0'
  if (level >= 50) return 'P1'
  return level >= 40 ? 'P2' : 'P3'
}
