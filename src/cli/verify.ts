/** `outhook verify`: why a captured request does not verify. */
import { readFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { type Diagnosis, diagnose } from '../verify/diagnose.ts'
import { type SchemeName, schemes } from '../verify/verifier.ts'
import { type ApiContext, finishApiCommand } from './api-command.ts'
import { type CapturedRequest, parseCapturedRequest, parseHeaderLines } from './captured-request.ts'
import { FindingsError, UsageError } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { collect, durationMs, moment, pair } from './option-values.ts'
import { wrap } from './wrap.ts'

interface Options {
  readonly header?: Readonly<Record<string, string>>
  readonly headers?: string
  readonly body?: string
  readonly secret?: readonly string[]
  readonly scheme?: SchemeName
  readonly tolerance?: number
  readonly receivedAt?: string
  readonly original?: string
  readonly fetch?: boolean
}

export function register(command: Command, io: CliIo): void {
  command
    .argument('[request]', 'file with the whole request: headers, empty line, body; "-" is standard input')
    .option('-H, --header <name: value>', 'a header of the request (repeatable)', pair(':'))
    .option('--headers <file>', 'file with its headers, one on each line')
    .option('--body <file>', 'file with its body, byte for byte; "-" is standard input')
    .option(
      '--secret <secret>',
      'the secret that the receiver verifies with (repeatable; OUTHOOK_WEBHOOK_SECRET)',
      collect,
    )
    .option(
      '--scheme <name>',
      `how it is signed, if its headers do not tell: ${Object.keys(schemes).join(', ')}`,
      scheme,
    )
    .option('--tolerance <duration>', 'how far the receiver lets the times differ (5m)', durationMs)
    .option('--received-at <time>', 'when it came: a time, or how long ago such as 2h (now)', moment)
    .option(
      '--original <file>',
      'what the sender sent as its body, to tell a changed body from a wrong secret',
    )
    .option('--fetch', 'ask the Outhook server for that, by the event id in the headers')
    .addHelpText(
      'after',
      '\nExample:\n  outhook verify request.txt --secret whsec_…\n  outhook verify --headers headers.txt --body body.json --fetch',
    )
  finishApiCommand(command, io).run<Options>(async (context, [file], options) => {
    const request = await readRequest(file, options, io)
    const secrets = options.secret ?? [io.env.OUTHOOK_WEBHOOK_SECRET ?? '']
    if (secrets.every((secret) => secret === '')) {
      throw new UsageError(
        'no secret; give the one that the receiver verifies with as --secret, or set OUTHOOK_WEBHOOK_SECRET',
      )
    }
    const diagnosis = await diagnose({
      ...request,
      secrets,
      originalBody: await readOriginal(context, request, options),
      scheme: options.scheme,
      toleranceSeconds: options.tolerance === undefined ? undefined : options.tolerance / 1000,
      receivedAtSeconds: options.receivedAt === undefined ? undefined : Date.parse(options.receivedAt) / 1000,
    })
    tell(context, diagnosis)
    if (!diagnosis.verifies) throw new FindingsError('the request does not verify')
  })
}

function scheme(value: string): SchemeName {
  if (Object.hasOwn(schemes, value)) return value as SchemeName
  throw new InvalidArgumentError(`Use one of ${Object.keys(schemes).join(', ')}.`)
}

async function readRequest(file: string | undefined, options: Options, io: CliIo): Promise<CapturedRequest> {
  const { header = {}, headers: headersFile, body: bodyFile } = options
  const lower = Object.entries(header).map(([name, value]) => [name.toLowerCase(), value] as const)
  const single = Object.fromEntries(lower)
  if (file !== undefined) {
    if (headersFile !== undefined || bodyFile !== undefined) {
      throw new UsageError('give a file with the whole request, or --headers and --body, not both')
    }
    const request = parseCapturedRequest(await readBytes(file, io), file)
    return { headers: { ...request.headers, ...single }, body: request.body }
  }
  if (bodyFile === undefined || (headersFile === undefined && lower.length === 0)) {
    throw new UsageError(
      'give a file with the whole request, or its headers (--headers or --header) and its --body',
    )
  }
  const fromFile =
    headersFile === undefined
      ? {}
      : parseHeaderLines(Buffer.from(await readBytes(headersFile, io)).toString('latin1'), headersFile)
  return { headers: { ...fromFile, ...single }, body: await readBytes(bodyFile, io) }
}

async function readOriginal(
  context: ApiContext,
  { headers }: CapturedRequest,
  { original, fetch: isFetched = false }: Options,
): Promise<Uint8Array | undefined> {
  if (original !== undefined) return readBytes(original, context.io)
  if (!isFetched) return undefined
  const id = headers['outhook-event-id'] ?? headers['hookrail-event-id'] ?? headers['webhook-id']
  if (id === undefined)
    throw new UsageError('--fetch needs the event’s id, and the headers have no outhook-event-id')
  return context.client.events.getPayload(id)
}

async function readBytes(file: string, io: CliIo): Promise<Uint8Array> {
  if (file === '-') return Buffer.from(await io.readInput())
  try {
    return await readFile(file)
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${(error as Error).message}`)
  }
}

function tell({ print, io }: ApiContext, diagnosis: Diagnosis): void {
  const { scheme: name, verifies, isSigned, timestampSeconds, findings } = diagnosis
  const signedAt = timestampSeconds === null ? null : new Date(timestampSeconds * 1000).toISOString()
  const fields = { verifies, scheme: name, signature_matches: isSigned, signed_at: signedAt }
  print.object({ ...fields, findings }, fields)
  if (print.json || findings.length === 0) return
  for (const { message } of findings) io.print(`\n${wrap(`- ${message}`, { indent: 2 })}`)
}
