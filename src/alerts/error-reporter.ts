/** Errors as alerts. */
import type { Alert, AlertAcceptance } from './alert.ts'
import type { AlertSender } from './alert-sender.ts'
import type { Severity } from './severity.ts'

export interface ErrorReporterOptions {
  /** Default `P1`. */
  readonly severity?: Severity
  /** Shown below each, such as the name of the service. Default none. */
  readonly footer?: string
}

/** Facts beside the error; shown as fields. */
export type ErrorContext = Readonly<Record<string, unknown>>

const maxStackChars = 3000
const maxFieldChars = 500

/**
 * A function that takes any thrown value and never throws itself. Errors of one type and line of code share a throttle key,
 * however their messages differ.
 *
 * @example
 * const report = createErrorReporter(alerts, { footer: 'billing' })
 * process.on('uncaughtException', async (error) => {
 *   console.error(error)
 *   report(error)
 *   await alerts.close({ timeoutMs: 5000 })
 *   process.exit(1)
 * })
 */
export function createErrorReporter(
  alerts: Pick<AlertSender, 'notify'>,
  options: ErrorReporterOptions = {},
): (error: unknown, context?: ErrorContext) => AlertAcceptance {
  return (error, context = {}) => {
    try {
      return alerts.notify(toAlert(error, context, options))
    } catch {
      return 'invalid'
    }
  }
}

export function toAlert(error: unknown, context: ErrorContext, options: ErrorReporterOptions): Alert {
  const { severity = 'P1', footer } = options
  const { name, message, stack } = describe(error)
  const frame = /\n\s+at (.*)/.exec(stack)?.[1] ?? ''
  const description =
    stack === '' ? message : `\`\`\`\n${stack.slice(0, maxStackChars).replaceAll('```', "'''")}\n\`\`\``
  return {
    severity,
    title: message === '' ? name : `${name}: ${message.split('\n')[0]}`,
    description,
    fields: Object.entries(context).map(([key, value]) => ({ name: key, value: toText(value) })),
    key: `${severity} ${name} ${frame}`,
    ...(footer === undefined ? {} : { footer }),
  }
}

function describe(error: unknown): {
  readonly name: string
  readonly message: string
  readonly stack: string
} {
  if (!(error instanceof Error)) return { name: 'Error', message: toText(error), stack: '' }
  const causes: string[] = []
  for (let cause = error.cause; cause instanceof Error && causes.length < 3; cause = cause.cause) {
    causes.push(`caused by ${cause.name}: ${cause.message}`)
  }
  const stack = [error.stack ?? '', ...causes].join('\n')
  return { name: String(error.name), message: String(error.message), stack }
}

function toText(value: unknown): string {
  const text = typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
  return text.slice(0, maxFieldChars)
}
