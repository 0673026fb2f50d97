/** When what is said of times goes on. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { relativeText } from '../../src/dashboard/kit/relative-text.ts'
import { Ticker } from '../../src/dashboard/kit/ticker.ts'

const startMs = Date.parse('2026-03-01T10:00:00Z')
const second = 1_000
const minute = 60_000

beforeEach(() => {
  vi.useFakeTimers({ now: startMs })
})
afterEach(() => {
  vi.useRealTimers()
})

function aPage() {
  let change = () => {}
  return {
    hidden: false,
    addEventListener: (_name: string, listener: () => void) => {
      change = listener
    },
    hide(hidden: boolean) {
      this.hidden = hidden
      change()
    },
  }
}

test('times go on by one timer: by the second while one is near, else by the minute', () => {
  const ticker = new Ticker(aPage())
  const [far, near] = [vi.fn(), vi.fn()]
  ticker.add(startMs - 2 * minute, far)
  vi.advanceTimersByTime(3 * minute)
  expect(far).toHaveBeenCalledTimes(3)
  const remove = ticker.add(Date.now() - 10 * second, near)
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(30 * second)
  expect(near).toHaveBeenCalledTimes(30)
  remove()
  vi.advanceTimersByTime(10 * minute)
  expect(near).toHaveBeenCalledTimes(30)
})

test('a time that was near goes on by the minute once it is far', () => {
  const hear = vi.fn()
  new Ticker(aPage()).add(startMs, hear)
  vi.advanceTimersByTime(minute)
  const before = hear.mock.calls.length
  vi.advanceTimersByTime(10 * minute)
  expect(hear.mock.calls.length - before).toBe(10)
})

test('a time that comes near is said in seconds from its last minute on', () => {
  const heardMs: number[] = []
  new Ticker(aPage()).add(startMs + 90 * second, () => heardMs.push(Date.now() - startMs))
  vi.advanceTimersByTime(33 * second)
  expect(heardMs).toEqual([30, 31, 32, 33].map((seconds) => seconds * second))
})

test('times that are added all the while do not put the tick off', () => {
  const ticker = new Ticker(aPage())
  const hear = vi.fn()
  ticker.add(startMs, hear)
  for (let at = 0; at < 10; at += 1) {
    vi.advanceTimersByTime(second / 2)
    ticker.add(Date.now(), () => {})
  }
  expect(hear).toHaveBeenCalledTimes(5)
})

test('there is no timer while the page is hidden or shows no time, and times are right at once when it is seen again', () => {
  const page = aPage()
  const ticker = new Ticker(page)
  const hear = vi.fn()
  const remove = ticker.add(startMs, hear)
  page.hide(true)
  expect(vi.getTimerCount()).toBe(0)
  const removeOther = ticker.add(startMs, () => {})
  vi.advanceTimersByTime(minute)
  expect(hear).not.toHaveBeenCalled()
  page.hide(false)
  expect(hear).toHaveBeenCalledTimes(1)
  expect(vi.getTimerCount()).toBe(1)
  remove()
  removeOther()
  expect(vi.getTimerCount()).toBe(0)
  page.hide(false)
  expect(vi.getTimerCount()).toBe(0)
})

test.each([
  [0, 'now'],
  [-5, '5 seconds ago'],
  [-125, '2 minutes ago'],
  [7_300, 'in 2 hours'],
  [-86_400, 'yesterday'],
])('%d seconds from now is "%s"', (seconds, said) => {
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
  const at = new Date(startMs + seconds * second).toISOString()
  expect(relativeText(at, startMs, format)).toBe(said)
})
