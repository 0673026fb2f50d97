/** What goes wrong is told, in each of the library's faces, to a program without a logger too, and stops nothing. */
import { expect, onTestFinished, test } from 'vitest'
import { type Logger, Outhook } from '../../src/index.ts'
import { Webhook } from '../../src/sender/index.ts'
import { startReceiver } from '../../src/testing/index.ts'
import { aReceiver } from '../delivery/an-app.ts'

async function open(logger?: Logger) {
  const hooks = await Outhook.open({
    store: 'memory:',
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
    ...(logger && { logger }),
  })
  onTestFinished(() => hooks.close())
  return hooks
}

/** The next warning of the process with these words. */
function aWarning(words: string): Promise<Error & { readonly detail?: string }> {
  const { promise, resolve } = Promise.withResolvers<Error & { readonly detail?: string }>()
  const listen = (warning: Error) => {
    if (warning.message.includes(words)) resolve(warning)
  }
  process.on('warning', listen)
  onTestFinished(() => void process.off('warning', listen))
  return promise
}

const mistakes: readonly [string, () => unknown][] = [
  [
    'throws',
    () => {
      throw new Error('a mistake of mine')
    },
  ],
  ['rejects', () => Promise.reject(new Error('a mistake of mine'))],
]

test.each(mistakes)('without a logger a listener that %s is a warning with its stack', async (_, mistake) => {
  const warning = aWarning('a listener of "attempt"')
  const receiver = await aReceiver()
  const hooks = await open()
  hooks.on('attempt', mistake as () => void)
  await hooks.endpoints.create({ url: receiver.url, topics: ['*'] })
  const { id } = await hooks.publish({ topic: 'a', payload: {} })
  expect((await hooks.events.wait(id)).deliveries).toMatchObject([{ state: 'succeeded' }])
  const { message, name, detail } = await warning
  expect(name).toBe('OuthookListenerWarning')
  expect(message).toContain('a mistake of mine')
  expect(detail).toContain('listeners.test')
})

test('with a logger a listener that throws is an error in its log, with the name of the event', async () => {
  const told = Promise.withResolvers<Readonly<Record<string, unknown>>>()
  const quiet = () => {}
  const logger: Logger = { debug: quiet, info: quiet, warn: quiet, error: (fields) => told.resolve(fields) }
  const receiver = await startReceiver()
  onTestFinished(() => receiver.close())
  const hooks = await open(logger)
  hooks.on('deadLetter', () => {
    throw new Error('a mistake of mine')
  })
  await hooks.endpoints.create({ url: `${receiver.url}/status/400`, topics: ['*'] })
  await hooks.publish({ topic: 'a', payload: {} })
  expect(await told.promise).toMatchObject({ err: { message: 'a mistake of mine' }, event: 'deadLetter' })
})

test.each(mistakes)('a hook of the sender that %s is a warning, and the send goes on', async (_, mistake) => {
  const warnings = [aWarning('the hook onAttempt'), aWarning('the hook onResult')]
  const receiver = await aReceiver()
  const hooks = { onAttempt: mistake as () => void, onResult: mistake as () => void }
  const webhook = new Webhook(receiver.url, { hooks })
  onTestFinished(() => webhook.close())
  expect(await webhook.send({})).toMatchObject({ ok: true })
  for (const { message } of await Promise.all(warnings)) expect(message).toContain('a mistake of mine')
})

test.each(mistakes)(
  'a hook of the test receiver that %s is a warning, and it answers',
  async (_, mistake) => {
    const warning = aWarning('the hook onRequest')
    const receiver = await startReceiver({ onRequest: mistake as () => void })
    onTestFinished(() => receiver.close())
    expect((await fetch(`${receiver.url}/succeed`, { method: 'POST', body: '{}' })).status).toBe(200)
    expect((await warning).message).toContain('a mistake of mine')
  },
)

test('listening to an event that does not exist is refused with the name that was meant', async () => {
  const hooks = await open()
  expect(() => hooks.on('atempt' as 'attempt', () => {})).toThrow(
    expect.objectContaining({
      code: 'invalid_request',
      message: expect.stringContaining('did you mean attempt?'),
    }),
  )
  expect(() => hooks.on('recorded' as 'attempt', () => {})).toThrow(/there is no event "recorded"/)
})
