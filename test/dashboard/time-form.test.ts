/** What lists say of times, and when the choice of it is offered. */
import { expect, test, vi } from 'vitest'
import { createTimeForm } from '../../src/dashboard/kit/time-form.ts'

function aKeeper() {
  const kept = new Map<string, string>()
  return {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
  }
}

test('times are relative until somebody chooses, and what is chosen is kept', () => {
  const keeper = aKeeper()
  const form = createTimeForm(keeper)
  expect(form.now()).toBe('relative')
  form.choose('exact')
  expect(form.now()).toBe('exact')
  expect(createTimeForm(keeper).now()).toBe('exact')
})

test('where the browser keeps nothing, the choice ends with the page', () => {
  const form = createTimeForm(null)
  form.choose('exact')
  expect(form.now()).toBe('exact')
  expect(createTimeForm(null).now()).toBe('relative')
})

test('each time that is shown hears of another choice, and no longer once it is gone', () => {
  const form = createTimeForm(null)
  const [one, other] = [vi.fn(), vi.fn()]
  const hideOne = form.show(one)
  form.show(other)
  form.choose('exact')
  hideOne()
  form.choose('relative')
  expect(one).toHaveBeenCalledTimes(1)
  expect(other).toHaveBeenCalledTimes(2)
})

test('the choice is offered while there is a time that it is about, whichever was there first', () => {
  const form = createTimeForm(null)
  const early = form.show(() => {})
  const offered: boolean[] = []
  const unwatch = form.watch(() => offered.push(form.isShown()))
  expect(offered).toEqual([true])
  const late = form.show(() => {})
  early()
  late()
  expect(offered).toEqual([true, false])
  unwatch()
  form.show(() => {})
  expect(offered).toEqual([true, false])
})
