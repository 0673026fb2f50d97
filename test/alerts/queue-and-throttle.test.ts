import { describe, expect, test } from 'vitest'
import { AlertThrottle } from '../../src/alerts/alert-throttle.ts'
import type { DiscordEmbed } from '../../src/discord/message.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { aDiscord, aJumpingClock } from '../discord/a-discord.ts'
import { patienceMs } from '../patience.ts'
import { anAlert, anAlertSender } from './an-alert-sender.ts'

const titles = (bodies: readonly Readonly<Record<string, unknown>>[]) =>
  bodies.map(({ embeds }) => (embeds as readonly DiscordEmbed[])[0]?.title?.replace('[P1] ', ''))
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

describe('S2.13 and D6: the queue', () => {
  test('can drop the oldest instead', async () => {
    const discord = await aDiscord({ bucket: { limit: 100, perMs: 1000 } })
    const url = discord.createWebhook()
    const alerts = anAlertSender({
      channels: { alerts: url },
      throttle: false,
      queueLimit: 3,
      onFull: 'drop_oldest',
    })
    discord.hold()
    const results = numbers(6).map((index) => alerts.send(anAlert({ title: String(index) })))
    discord.release()
    const outcomes = (await Promise.all(results)).map(({ outcome }) => outcome)
    expect(outcomes).toEqual(['delivered', 'dropped', 'dropped', 'dropped', 'delivered', 'delivered'])
    expect(titles(discord.posted(url))).toEqual(['0', '4', '5'])
  })

  test('of one channel does not hold up another', async () => {
    const clock = createManualClock()
    const discord = await aDiscord()
    const other = await aDiscord()
    const url = other.createWebhook()
    const alerts = anAlertSender({ channels: { alerts: discord.createWebhook(), info: url }, clock })
    discord.hold()
    alerts.notify(anAlert())
    expect(await alerts.send(anAlert({ severity: 'P2' }))).toMatchObject({ ok: true })
    discord.release()
  })

  test('is flushed within the time, or the answer is false', async () => {
    const discord = await aDiscord()
    const alerts = anAlertSender({ channels: { alerts: discord.createWebhook() } })
    discord.hold()
    alerts.notify(anAlert())
    expect(await alerts.flush({ timeoutMs: 5 })).toBe(false)
    discord.release()
    expect(await alerts.flush({ timeoutMs: patienceMs })).toBe(true)
  })

  test('is given up by close after its time, and each alert hears of it', async () => {
    const discord = await aDiscord()
    const alerts = anAlertSender({ channels: { alerts: discord.createWebhook() }, throttle: false })
    discord.hold()
    const results = numbers(3).map((index) => alerts.send(anAlert({ title: String(index) })))
    expect(await alerts.close({ timeoutMs: 5 })).toBe(false)
    expect((await Promise.all(results)).map(({ outcome }) => outcome)).toEqual([
      'failed',
      'abandoned',
      'abandoned',
    ])
    expect(alerts.stats()).toMatchObject({ accepted: 3, failed: 1, abandoned: 2, waiting: 0 })
    expect(await alerts.close()).toBe(false)
  })
})

describe('S2.14 and D6: the throttle', () => {
  const throttled = async () => {
    const clock = createManualClock()
    const discord = await aDiscord({ bucket: { limit: 1000, perMs: 1000 } })
    const url = discord.createWebhook()
    const alerts = anAlertSender({ channels: { alerts: url }, clock })
    return { clock, discord, url, alerts }
  }

  test('lets three of a key through per minute, then tells how many it held back', async () => {
    const { clock, discord, url, alerts } = await throttled()
    const results = await Promise.all(numbers(10).map(() => alerts.send(anAlert({ description: 'db-1' }))))
    const outcomes = results.map(({ outcome }) => outcome)
    expect(outcomes).toEqual([...Array(3).fill('delivered'), ...Array(7).fill('throttled')])
    await clock.advance(59_000)
    expect(alerts.stats()).toMatchObject({ throttled: 7, summaries: 0 })
    await clock.advance(1000)
    await discord.until(() => discord.posted(url).length === 4)
    expect(titles(discord.posted(url)).at(-1)).toBe('7 more: Disk full')
    expect(discord.posted(url).at(-1)?.embeds).toMatchObject([
      {
        color: 0xff8800,
        description: '7 alerts like this came within 60 s and were held back.',
      },
    ])
    expect(alerts.notify(anAlert())).toBe('accepted')
  })

  test('slides: a place is free a minute after it was taken', async () => {
    const { clock, alerts } = await throttled()
    for (const waitMs of [0, 20_000, 20_000]) {
      await clock.advance(waitMs)
      expect(alerts.notify(anAlert())).toBe('accepted')
    }
    await clock.advance(19_999)
    expect(alerts.notify(anAlert())).toBe('throttled')
    await clock.advance(1)
    expect(alerts.notify(anAlert())).toBe('accepted')
    expect(alerts.notify(anAlert())).toBe('throttled')
  })

  test('tells keys, severities and channels apart', async () => {
    const { alerts } = await throttled()
    const passed = (parts: object) =>
      numbers(5).filter(() => alerts.notify(anAlert(parts)) === 'accepted').length
    expect([
      passed({}),
      passed({ title: 'other' }),
      passed({ severity: 'P0' }),
      passed({ key: 'own' }),
    ]).toEqual([3, 3, 3, 3])
    expect([passed({ title: 'a 1', key: 'same' }), passed({ title: 'a 2', key: 'same' })]).toEqual([3, 0])
  })

  test('what it holds back is told by close too, and a P0 summary pings nobody', async () => {
    const clock = aJumpingClock()
    const discord = await aDiscord({ clock })
    const url = discord.createWebhook()
    const alerts = anAlertSender({ channels: { alerts: url }, clock, mention: '@everyone' })
    for (const _ of numbers(5)) alerts.notify(anAlert({ severity: 'P0' }))
    expect(await alerts.close()).toBe(true)
    const posted = discord.posted(url)
    expect(posted.map(({ content }) => content)).toEqual(['@everyone', '@everyone', '@everyone', undefined])
    expect(clock.pendingTimers).toBe(0)
  })

  test('remembers 5000 keys, and tells what the one that it forgets held back', () => {
    const summaries: (readonly [string, number])[] = []
    const throttle = new AlertThrottle<string>({
      limit: 1,
      perMs: 60_000,
      clock: createManualClock(),
      onSummary: (first, heldBack) => summaries.push([first, heldBack]),
    })
    throttle.pass('first', 'a')
    throttle.pass('first', 'b')
    for (const index of numbers(4999)) throttle.pass(String(index), 'x')
    expect(throttle.pass('first', 'c')).toBe(false)
    expect(summaries).toEqual([])
    throttle.pass('one more', 'x')
    expect(summaries).toEqual([['b', 2]])
    expect(throttle.pass('first', 'd')).toBe(true)
  })
})
