/** The pure parts of the portal; what it does in a browser: test/slow/portal.test.ts. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { deliveryStates } from '../../src/dashboard/kit/delivery-states.ts'
import { minuteFormat } from '../../src/dashboard/kit/minute-format.ts'
import { targetsOf } from '../../src/dashboard/portal/embedding.ts'
import { hoursOf } from '../../src/dashboard/portal/hours.ts'
import { chooseLocale, formatHour, formatMoment, pseudo, t } from '../../src/dashboard/portal/locales.ts'
import { readRecipes } from '../../src/dashboard/portal/recipes.ts'
import { english } from '../../src/dashboard/portal/texts.ts'
import { contrast, readableAccent, readTheme, toRgb } from '../../src/dashboard/portal/theme.ts'

describe('the theme', () => {
  test('takes of each the first that says something, and stays as it is where nobody does', () => {
    const plain = { name: null, accent: null, logo: null, mode: 'auto', font: 'system' }
    expect(readTheme({}, {})).toEqual(plain)
    const server = { name: 'Server', accent: '#112233', logo: './logo', mode: 'dark', font: 'serif' }
    expect(readTheme({}, server)).toEqual(server)
    expect(readTheme({ name: 'Mine', accent: 'ABC', mode: 'light' }, server)).toEqual({
      ...server,
      name: 'Mine',
      accent: '#aabbcc',
      mode: 'light',
    })
  })

  test.each([
    ['accent', 'red'],
    ['accent', '#12345'],
    ['accent', '#fff;background:url(//a.example)'],
    ['accent', 7],
    ['name', '\u202e'],
    ['name', 'x'.repeat(61)],
    ['logo', 'https://a.example/logo.png'],
    ['logo', '//a.example/logo.png'],
    ['logo', '../../v1/events'],
    ['logo', 'javascript:alert(1)'],
    ['logo', 'data:text/html;base64,PHNjcmlwdD4='],
    ['logo', 'data:image/svg+xml,<svg onload="a()"/>'],
    ['logo', `data:image/png;base64,${'A'.repeat(8000)}`],
    ['mode', 'neon'],
    ['font', 'Comic Sans; }'],
    ['font', 'toString'],
  ])('passes over %s = %j', (member, value) => {
    expect(readTheme({ [member]: value })).toEqual(readTheme({}))
  })

  test('makes any accent one that can be read on the ground of either mode, and leaves a readable one alone', () => {
    const grounds = { light: '#f6f7f9', dark: '#1d2027' } as const
    for (const accent of ['#ffff00', '#000000', '#ffffff', '#1f4fd8', '#ff0000', '#808080', '#00ff7f']) {
      for (const mode of ['light', 'dark'] as const) {
        const shown = readableAccent(accent, mode)
        expect([accent, mode, contrast(toRgb(shown), toRgb(grounds[mode])) >= 4.5]).toEqual([
          accent,
          mode,
          true,
        ])
      }
    }
    expect(readableAccent('#1f4fd8', 'light')).toBe('#1f4fd8')
    expect(readableAccent('#8fb0ff', 'dark')).toBe('#8fb0ff')
    expect(contrast(toRgb('#000000'), toRgb('#ffffff'))).toBe(21)
  })
})

describe('the page around the portal', () => {
  const allowed = ['https://app.example.com', 'https://*.shop.example', 'http://127.0.0.1:3000']
  test.each([
    ['https://app.example.com', ['https://app.example.com']],
    ['https://eu.shop.example', ['https://eu.shop.example']],
    ['https://shop.example', []],
    ['http://eu.shop.example', []],
    ['https://evilshop.example', []],
    ['https://app.example.com.evil.example', []],
    ['null', []],
    [null, ['https://app.example.com', 'http://127.0.0.1:3000']],
  ])('of the origin %s is told the height at %j', (origin, targets) => {
    expect(targetsOf(allowed, origin)).toEqual(targets)
  })

  test('is told nothing where no page may have it', () => {
    expect(targetsOf([], null)).toEqual([])
    expect(targetsOf([], 'https://app.example.com')).toEqual([])
  })
})

describe('texts', () => {
  test('of another language are chosen by its name, English otherwise, with their values filled in', () => {
    expect(chooseLocale('xx').direction).toBe('ltr')
    expect(t('testGood', { status: 204, ms: 12 })).toBe('It arrived: your endpoint answered 204 after 12 ms.')
    expect(chooseLocale('en-XB')).toMatchObject({ direction: 'rtl' })
    expect(t('testGood', { status: 204, ms: 12 })).toMatch(/^\[It árrívéd.*204.*12 ms\. \]$/)
    expect(chooseLocale('toString').direction).toBe('ltr')
    chooseLocale(null)
  })

  test('name the zone of a moment and of an hour', () => {
    const at = '2026-03-01T10:50:07Z'
    const zone = new Intl.DateTimeFormat('en', { timeZoneName: 'short' })
      .formatToParts(Date.parse(at))
      .find(({ type }) => type === 'timeZoneName')?.value
    expect(formatMoment(at)).toMatch(/2026.*:07/)
    expect(formatMoment(at)).toContain(zone)
    expect(formatHour(at)).toMatch(/(?:Sat|Sun|Mon).*:\d0/)
    expect(formatHour(at)).toContain(zone)
    expect(minuteFormat('en').format(Date.parse(at))).toMatch(/2026.*:\d0/)
    expect(minuteFormat('en').format(Date.parse(at))).toContain(zone)
  })

  test('are all shown somewhere', () => {
    const folder = new URL('../../src/dashboard/portal/', import.meta.url)
    const code = readdirSync(folder)
      .filter((name) => name.endsWith('.tsx'))
      .map((name) => readFileSync(new URL(name, folder), 'utf8'))
      .join('\n')
    // By the name of a state of a delivery or of an endpoint.
    const states: readonly string[] = [...deliveryStates, 'active', 'throttled', 'paused', 'disabled']
    const isShown = (key: string) => states.includes(key) || code.includes(`'${key}'`)
    expect(Object.keys(english).filter((key) => !isShown(key))).toEqual([])
  })

  test('keep their places for values in the pseudo-locale', () => {
    for (const text of Object.values(english)) {
      expect(pseudo(text).match(/\{\w+\}/g)).toEqual(text.match(/\{\w+\}/g))
    }
  })
})

test('activity counts what came of deliveries by the hour, of the last 24 hours', () => {
  const bucket = (at: string, succeeded = 0, deadLettered = 0, retryScheduled = 0) => ({
    at,
    deliveries: { succeeded, deadLettered, retryScheduled },
  })
  const hours = hoursOf([
    bucket('2026-03-01T10:50:00Z', 99),
    bucket('2026-03-01T11:00:00Z', 1),
    bucket('2026-03-02T09:50:00Z', 0, 3),
    bucket('2026-03-02T10:00:00Z', 4, 0, 1),
    bucket('2026-03-02T10:10:00Z', 2),
  ])
  expect(hours).toHaveLength(24)
  expect(hours.at(-1)).toEqual({ at: '2026-03-02T10:00:00.000Z', good: 6, bad: 0, again: 1 })
  expect(hours.at(-2)).toEqual({ at: '2026-03-02T09:00:00.000Z', good: 0, bad: 3, again: 0 })
  expect(hours[0]).toEqual({ at: '2026-03-01T11:00:00.000Z', good: 1, bad: 0, again: 0 })
  expect(hours.reduce((sum, { good, bad, again }) => sum + good + bad + again, 0)).toBe(11)
})

test('the documentation has recipes in nine languages, each with a place for the secret', () => {
  const page = new URL('../../docs/guides/verify-in-your-language.md', import.meta.url)
  const recipes = readRecipes(readFileSync(page, 'utf8'))
  expect(recipes.map(({ language }) => language)).toEqual([
    'TypeScript',
    'JavaScript',
    'Python',
    'Go',
    'PHP',
    'Ruby',
    'Java',
    'C#',
    'Rust',
  ])
  for (const { code } of recipes) expect(code.split('whsec_REPLACE_ME')).toHaveLength(2)
})
