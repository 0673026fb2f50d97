import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pino from 'pino'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Alert, AlertAcceptance } from '../../src/alerts/alert.ts'
import { AlertSender } from '../../src/alerts/alert-sender.ts'
import { createErrorReporter } from '../../src/alerts/error-reporter.ts'
import { createPinoDestination } from '../../src/alerts/pino-destination.ts'
import createPinoTransport from '../../src/alerts/pino-transport.ts'
import { aDiscord } from '../discord/a-discord.ts'
import { patienceMs } from '../patience.ts'

function aListener() {
  const heard: Alert[] = []
  const notify = (alert: Alert): AlertAcceptance => {
    heard.push(alert)
    return 'accepted'
  }
  return { heard, notify }
}

function fail(message: string): Error {
  return new TypeError(message)
}

describe('the error reporter', () => {
  test('makes an alert of an error, with its stack, its causes and the context', () => {
    const { heard, notify } = aListener()
    const report = createErrorReporter({ notify }, { footer: 'billing' })
    const error = new RangeError('too many\nlines', { cause: new Error('disk') })
    expect(report(error, { order: 'o_1', tries: { n: 2 } })).toBe('accepted')
    const [alert] = heard
    expect(alert).toMatchObject({
      severity: 'P1',
      title: 'RangeError: too many',
      footer: 'billing',
      fields: [
        { name: 'order', value: 'o_1' },
        { name: 'tries', value: '{"n":2}' },
      ],
    })
    expect(alert?.description).toMatch(
      /^```\nRangeError: too many[\s\S]*reporters\.test[\s\S]*caused by Error: disk\n```$/,
    )
  })

  test('gives errors of one place one key, whatever their messages say', () => {
    const { heard, notify } = aListener()
    const report = createErrorReporter({ notify })
    for (const message of ['order 1', 'order 2']) report(fail(message))
    report(new TypeError('elsewhere'))
    const keys = heard.map(({ key }) => key)
    expect(keys[0]).toBe(keys[1])
    expect(keys[2]).not.toBe(keys[0])
  })

  test('takes whatever was thrown', () => {
    const { heard, notify } = aListener()
    const report = createErrorReporter({ notify }, { severity: 'P0' })
    const cyclic: Record<string, unknown> = {}
    cyclic.self = cyclic
    const hostile = Object.defineProperty(new Error('x'), 'stack', {
      get() {
        throw new Error('no')
      },
    })
    expect(['text', undefined, 5, { code: 7 }, cyclic, hostile].map((thrown) => report(thrown))).toEqual([
      'accepted',
      'accepted',
      'accepted',
      'accepted',
      'invalid',
      'invalid',
    ])
    expect(heard.map(({ title }) => title)).toEqual([
      'Error: text',
      'Error: undefined',
      'Error: 5',
      'Error: {"code":7}',
    ])
  })
})

/** A program of its own, with the channel `alerts` in its environment. */
async function runProgram(program: string, url: string): Promise<{ code: number; output: string }> {
  const flags = ['--input-type=module', '--experimental-strip-types', '--no-warnings', '-e', program]
  const env = { ...process.env, DISCORD_WEBHOOK_ALERTS: url }
  const run = promisify(execFile)(process.execPath, flags, { env, timeout: patienceMs })
  const { code = 0, stdout, stderr } = await run.catch((error) => error)
  return { code, output: stdout + stderr }
}

const source = (file: string) => new URL(`../../src/alerts/${file}`, import.meta.url)

test('an uncaught exception is told before the program ends, the way that the guide shows', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  const guide = readFileSync(new URL('../../docs/guides/alerting.md', import.meta.url), 'utf8')
  const handler = /^process\.on\('uncaughtException'[\s\S]*?^}\)$/m.exec(guide)?.[0]
  const program = `
    import { AlertSender, createErrorReporter } from ${JSON.stringify(source('index.ts').href)}
    const alerts = AlertSender.fromEnv()
    const report = createErrorReporter(alerts)
    ${handler}
    throw new RangeError('too many')`
  const { code, output } = await runProgram(program, url)
  expect(code).toBe(1)
  expect(output).toContain('RangeError: too many')
  expect(discord.posted(url)).toMatchObject([{ embeds: [{ title: '[P1] RangeError: too many' }] }])
})

describe('the pino destination', () => {
  const logTo = (options = {}) => {
    const { heard, notify } = aListener()
    const stream = createPinoDestination({ notify }, options)
    return {
      heard,
      log: pino({ level: 'trace', name: 'shop' }, pino.multistream([{ stream, level: 'trace' }])),
    }
  }

  test('makes alerts of errors and worse', () => {
    const { heard, log } = logTo()
    log.info('fine')
    log.warn('hm')
    log.error({ order: 'o_1', took: 5 }, 'payment failed')
    log.fatal('going down')
    expect(heard).toMatchObject([
      {
        severity: 'P1',
        title: 'payment failed',
        footer: 'shop',
        fields: [
          { name: 'order', value: 'o_1' },
          { name: 'took', value: '5' },
        ],
      },
      { severity: 'P0', title: 'going down', fields: [] },
    ])
  })

  test('shows the stack of an error', () => {
    const { heard, log } = logTo()
    log.error(fail('broken'))
    expect(heard[0]?.title).toBe('broken')
    expect(heard[0]?.description).toContain('reporters.test')
  })

  test('can begin at a lower level, with severities and fields of one’s own', () => {
    const { heard, log } = logTo({ minLevel: 40, severityFor: () => 'DEV', fields: ['b'] })
    log.warn({ a: 1, b: { c: 2 } }, 'hm')
    expect(heard).toMatchObject([{ severity: 'DEV', fields: [{ name: 'b', value: '{"c":2}' }] }])
  })

  test('goes round in no circle when the log of the alerts leads back to them', () => {
    const lines: string[] = []
    const write = (line: string) => {
      lines.push(line)
      stream.write(line)
    }
    const log = pino({}, { write })
    const alerts = new AlertSender({ channels: {}, log })
    const stream = createPinoDestination(alerts, { minLevel: 30, fields: [] })
    for (let index = 0; index < 100; index++) log.warn('hm')
    expect(lines.filter((line) => line.includes('no channel')).length).toBe(1)
  })

  test('skips what is not a log line', () => {
    const { heard, notify } = aListener()
    const stream = createPinoDestination({ notify })
    for (const line of ['', 'not json', 'null', '{}', '[]']) stream.write(line)
    expect(heard).toEqual([])
  })
})

describe('the pino transport', () => {
  test('posts from its own thread what is an error, before the program ends, with no URL in its options', async () => {
    const discord = await aDiscord()
    const url = discord.createWebhook()
    const program = `
      import pino from 'pino'
      const target = ${JSON.stringify(fileURLToPath(source('pino-transport.ts')))}
      const options = { username: 'billing', fields: ['order'] }
      const log = pino({ name: 'shop' }, pino.transport({ targets: [{ target, level: 'error', options }] }))
      log.info('fine')
      log.error({ order: 'o_1', token: 'not shown' }, 'payment failed')
      log.fatal('going down — üß')`
    expect(await runProgram(program, url)).toEqual({ code: 0, output: '' })
    expect(discord.posted(url)).toMatchObject([
      {
        username: 'billing',
        embeds: [
          {
            title: '[P1] payment failed',
            fields: [{ name: 'order', value: 'o_1' }],
            footer: { text: 'shop' },
          },
        ],
      },
      { embeds: [{ title: '[P0] going down — üß' }] },
    ])
  })

  test('puts lines together that come in parts', async () => {
    const discord = await aDiscord()
    vi.stubEnv('DISCORD_WEBHOOK_ALERTS', discord.createWebhook())
    onTestFinished(() => void vi.unstubAllEnvs())
    const stream = createPinoTransport()
    const bytes = Buffer.from('{"level":50,"msg":"ü"}\n{"level":50,"msg":"b"}\n{"level":50,')
    for (const byte of bytes) stream.write(Buffer.of(byte))
    await new Promise<void>((resolve) => stream.end(resolve))
    expect(discord.requests.map(({ payload }) => payload.embeds)).toMatchObject([
      [{ title: '[P1] ü' }],
      [{ title: '[P1] b' }],
    ])
  })
})
