/** `outhook/alerts/pino`: log lines as alerts, from pino's own worker thread. */
import '../required-node.ts'

import { Writable } from 'node:stream'
import type { AlertSenderOptions } from './alert-options.ts'
import { AlertSender } from './alert-sender.ts'
import { createPinoDestination, type PinoDestinationOptions } from './pino-destination.ts'

export type PinoTransportOptions = Omit<PinoDestinationOptions, 'severityFor'> &
  Pick<AlertSenderOptions, 'username' | 'avatarUrl' | 'fallbackChannel' | 'throttle'>

/** The program stands still while pino waits for this at its end, and pino gives up after ten seconds. */
const closeMs = 8000

/**
 * A target for `pino.transport`. Channels, mention and master switch come from the environment (see
 * `readEnvironment`), because whatever stands in a transport's options is easily printed, and a webhook's URL is a
 * password. When the program ends, what waits is delivered first, for at most 8 s.
 *
 * @example
 * const log = pino(pino.transport({
 *   targets: [
 *     { target: 'pino/file' },
 *     { target: 'outhook/alerts/pino', level: 'error', options: { username: 'billing' } },
 *   ],
 * }))
 */
// biome-ignore lint/style/noDefaultExport: pino takes the default export of a target
export default function createPinoTransport(options: PinoTransportOptions = {}): Writable {
  const { username, avatarUrl, fallbackChannel, throttle } = options
  const alerts = AlertSender.fromEnv(process.env, {
    ...(username === undefined ? {} : { username }),
    ...(avatarUrl === undefined ? {} : { avatarUrl }),
    ...(fallbackChannel === undefined ? {} : { fallbackChannel }),
    ...(throttle === undefined ? {} : { throttle }),
  })
  const destination = createPinoDestination(alerts, options)
  const decoder = new TextDecoder()
  let rest = ''
  return new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      // Several lines, or parts of them.
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) destination.write(line)
      done()
    },
    final(done) {
      alerts.close({ timeoutMs: closeMs }).then(() => done(), done)
    },
  })
}
