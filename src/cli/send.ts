import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { DirectSend } from '../client/generated/types.ts'
import { type SendMethod, sendMethods } from '../core/direct-request.ts'
import { describeRetryProfiles } from '../core/retry-policy.ts'
import { finishApiCommand } from './api-command.ts'
import { resolveCredential } from './credential-id.ts'
import { resolveEndpoint } from './endpoint-id.ts'
import { addEventOptions, type EventOptions, eventMembers } from './event-options.ts'
import { waitForEvent } from './events.ts'
import { UsageError } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { durationMs, oneOf, pair, retryPolicy } from './option-values.ts'

interface SendOptions extends EventOptions {
  readonly method?: SendMethod
  readonly file?: string
  readonly contentType?: string
  readonly credential?: string
  readonly clientCertificate?: string
  readonly header?: Readonly<Record<string, string>>
  readonly retry?: DirectSend['retry']
  readonly timeout?: number
}

export function register(command: Command, io: CliIo): void {
  command
    .argument('<url-or-endpoint>', 'where to: a URL, or the id or uid of an endpoint')
    .argument('[payload]', 'JSON, or text of the --content-type; "-" reads it from standard input')
    .option(
      '--method <method>',
      `${sendMethods.join(', ')} (default: the endpoint's, or POST)`,
      oneOf(sendMethods),
    )
    .option('--file <path>', 'read the payload from a file')
    .option('--content-type <type>', 'of the payload, if it is no JSON')
    .option('--header <name:value>', 'sent along; wins over that of the endpoint (repeatable)', pair(':'))
    .option('--credential <credential>', 'what it authenticates with: an id or name')
    .option('--client-certificate <credential>', 'what the connection shows besides: an id or name')
    .option(
      '--retry <policy>',
      `a profile, ${describeRetryProfiles()}, one of the server’s own, or a JSON object`,
      retryPolicy,
    )
    .option('--timeout <duration>', 'of one attempt', durationMs)
    .option('--idempotency-key <key>', 'sending twice with the same key makes one delivery')
  addEventOptions(command).addHelpText(
    'after',
    '\nExample:\n  outhook send https://example.com/hook \'{"call":42}\' --wait',
  )
  finishApiCommand(command, io).run<SendOptions>(async (context, [place = '', payload], options) => {
    const { client, print } = context
    const body = await readBody(payload, options, io)
    const input = {
      ...(/^[a-z]+:\/\//i.test(place)
        ? { url: place }
        : { endpointId: await resolveEndpoint(client, place) }),
      ...(body !== undefined && { body }),
      ...(options.method !== undefined && { method: options.method }),
      contentType: options.contentType,
      headers: options.header,
      ...(options.credential !== undefined && {
        credentialId: await resolveCredential(client, options.credential),
      }),
      ...(options.clientCertificate !== undefined && {
        clientCertificateId: await resolveCredential(client, options.clientCertificate),
      }),
      retry: options.retry,
      timeout: options.timeout,
      ...eventMembers(options, io),
    }
    const sent = await client.sendDirect(input)
    if (options.wait !== undefined) {
      await waitForEvent(context, sent.eventId, options.wait === true ? undefined : options.wait)
      return
    }
    print.answer('DirectSendReceipt', sent, { deliveryId: sent.deliveryId, eventId: sent.eventId })
    if (sent.replayed) print.note('\nIt was there already, under the same idempotency key.')
  })
}

/** Undefined: the body is empty. */
async function readBody(
  argument: string | undefined,
  { file, contentType }: SendOptions,
  io: CliIo,
): Promise<string | Uint8Array | undefined> {
  if (file !== undefined && argument !== undefined) throw new UsageError('give a payload or --file, not both')
  const content = file === undefined ? await readArgument(argument, io) : await readBytes(file)
  if (content === undefined || contentType !== undefined) return content
  const text = typeof content === 'string' ? content : new TextDecoder().decode(content)
  try {
    JSON.parse(text)
    return text
  } catch (error) {
    throw new UsageError(
      `the payload is not JSON (${(error as Error).message}); say by --content-type what it is`,
    )
  }
}

async function readArgument(argument: string | undefined, io: CliIo): Promise<string | undefined> {
  return argument === '-' ? io.readInput() : argument
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (error) {
    throw new UsageError(`the file ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}
