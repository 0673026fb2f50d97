/** The structured log: one JSON object per line for programs, one short line each for people. */
import { styleText } from 'node:util'
import pino from 'pino'
import type { Logger } from '../core/logger.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'
export type LogFormat = 'json' | 'pretty'

export interface LogDestination {
  write(line: string): unknown
}

export interface LoggerOptions {
  readonly level: LogLevel
  readonly format: LogFormat
  /** Default: standard output. */
  readonly destination?: LogDestination
  /** Colours in `pretty` lines. Default: no. */
  readonly colour?: boolean
  /** In every line. */
  readonly fields?: Readonly<Record<string, unknown>>
}

const redactedNames = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'secrets',
  'token',
  'admin_token',
  'api_key',
  'master_key',
  'private_key',
  'credential',
] as const

/** pino's wildcard stands for one level, so each depth that log fields really have is spelt out. */
const redactPaths = redactedNames.flatMap((name) =>
  [name, capitalise(name)].flatMap((form) => [`["${form}"]`, `*["${form}"]`, `*.*["${form}"]`]),
)

/**
 * A logger that never writes the value of a field whose name says that it is secret, down to three levels.
 *
 * @example
 * const log = createLogger({ level: 'info', format: 'json' })
 * log.info({ endpoint_id: 'ep_1', http_status: 200 }, 'delivery attempted')
 */
export function createLogger(options: LoggerOptions): Logger {
  const target = options.destination ?? process.stdout
  const destination: LogDestination =
    options.format === 'json' ? target : prettyDestination(target, options.colour ?? false)
  const logger = pino(
    {
      level: options.level,
      base: options.fields ?? null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
      redact: { paths: redactPaths, censor: '[redacted]' },
    },
    { write: (line: string) => void destination.write(line) },
  )
  return {
    writesDebug: logger.isLevelEnabled('debug'),
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  }
}

const levelStyles = {
  debug: ['dim'],
  info: ['cyan'],
  warn: ['yellow'],
  error: ['red'],
} as const

function prettyDestination(target: LogDestination, colour: boolean): LogDestination {
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    colour ? styleText(style, text, { validateStream: false }) : text
  return {
    write(line) {
      target.write(prettyLine(JSON.parse(line) as Record<string, unknown>, paint))
    },
  }
}

type Paint = (style: Parameters<typeof styleText>[0], text: string) => string

/** `12:31:02.123 warn  endpoint paused  endpoint_id=ep_1 pause_ms=30000` */
function prettyLine(entry: Record<string, unknown>, paint: Paint): string {
  const { level, time, message, err, error, ...fields } = entry
  const name = String(level) as keyof typeof levelStyles
  const clock = String(time).slice(11, 23)
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${fieldText(value)}`)
  const head = [
    paint('dim', clock),
    paint([...(levelStyles[name] ?? [])], name.padEnd(5)),
    String(message ?? ''),
  ]
  const tail = rest.length > 0 ? `  ${paint('dim', rest.join(' '))}` : ''
  return `${head.join(' ')}${tail}\n${errorText(err ?? error)}`
}

function fieldText(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? 'undefined'
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)
}

function errorText(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  const { stack, message } = error as { readonly stack?: unknown; readonly message?: unknown }
  const text = String(stack ?? message ?? '')
  return text === '' ? '' : `${text.replace(/^/gm, '    ')}\n`
}

function capitalise(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`
}
