/** Hundreds and thousands of alerts at once, each a request of its own. */
import { describe, expect, test } from 'vitest'
import type { DiscordEmbed } from '../../src/discord/message.ts'
import { aLog, anAlert, anAlertSender } from '../alerts/an-alert-sender.ts'
import { aDiscord, aJumpingClock } from '../discord/a-discord.ts'

const titles = (bodies: readonly Readonly<Record<string, unknown>>[]) =>
  bodies.map(({ embeds }) => (embeds as readonly DiscordEmbed[])[0]?.title?.replace('[P1] ', ''))
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

describe('S2.13 and D6: the queue', () => {
  // Fifty a second go to Discord at most, on the real clock.
  test('takes 500 while the receiver hangs, drops and counts the rest, and delivers what it took', {
    timeout: 300_000,
  }, async () => {
    const discord = await aDiscord({ bucket: { limit: 1000, perMs: 1000 } })
    const url = discord.createWebhook()
    const log = aLog()
    const alerts = anAlertSender({ channels: { alerts: url }, throttle: false, log })
    discord.hold()
    const answers = numbers(600).map((index) => alerts.notify(anAlert({ title: String(index) })))
    expect(answers.indexOf('dropped')).toBe(500)
    expect(alerts.stats()).toMatchObject({ accepted: 500, dropped: 100, waiting: 500, delivered: 0 })
    expect(log.lines).toEqual([[{ channel: 'alerts', unsaid: 0 }, expect.stringContaining('dropped')]])
    discord.release()
    expect(await alerts.flush()).toBe(true)
    expect(titles(discord.posted(url))).toEqual(numbers(500).map(String))
    expect(alerts.stats()).toMatchObject({ accepted: 500, dropped: 100, waiting: 0, delivered: 500 })
  })
})

describe('a burst of 10 000 alerts through one bucket of 5 per second', () => {
  const burst = async (queueLimit: number | undefined) => {
    const clock = aJumpingClock()
    const discord = await aDiscord({ clock, bucket: { limit: 5, perMs: 1000 } })
    const url = discord.createWebhook()
    const alerts = anAlertSender({ channels: { alerts: url }, clock, throttle: false, queueLimit })
    const answers = numbers(10_000).map((index) => alerts.notify(anAlert({ title: String(index) })))
    const taken = numbers(10_000)
      .filter((index) => answers[index] === 'accepted')
      .map(String)
    expect(await alerts.flush()).toBe(true)
    return {
      arrived: titles(discord.posted(url)),
      taken,
      discord,
      stats: alerts.stats(),
      tookMs: clock.elapsed(),
    }
  }

  test('with room for all in the queue: all arrive, in order, without one 429 that was announced', {
    timeout: 300_000,
  }, async () => {
    const { arrived, discord, stats, tookMs } = await burst(10_000)
    expect(arrived).toEqual(numbers(10_000).map(String))
    expect([discord.announced429, discord.total429]).toEqual([0, 0])
    expect(stats).toMatchObject({ accepted: 10_000, delivered: 10_000, dropped: 0, failed: 0 })
    expect(tookMs).toBeGreaterThanOrEqual(1999 * 1000)
    expect(tookMs).toBeLessThan(1999 * 1000 * 1.1)
  })

  test('with the default queue: what was taken and what was dropped is all, and what was taken arrives', {
    timeout: 300_000,
  }, async () => {
    const { arrived, taken, discord, stats } = await burst(undefined)
    expect(stats.accepted + stats.dropped).toBe(10_000)
    expect(stats.accepted).toBe(500)
    expect(arrived).toEqual(taken)
    expect(discord.total429).toBe(0)
  })
})
