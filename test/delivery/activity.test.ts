/** Listeners belong to others: what they do wrong is told and stops nothing. */
import { expect, test, vi } from 'vitest'
import { DeliveryActivity } from '../../src/delivery/activity.ts'

test('a listener that rejects is told as an error', async () => {
  const told = Promise.withResolvers<unknown>()
  const activity = new DeliveryActivity(told.resolve)
  const mistake = new Error('a mistake of the user')
  activity.on('recorded', async () => {
    throw mistake
  })
  activity.tell('recorded', [])
  expect(await told.promise).toBe(mistake)
})

test('a listener given to once that rejects is told as an error', async () => {
  const told = Promise.withResolvers<unknown>()
  const activity = new DeliveryActivity(told.resolve)
  activity.once('recorded', () => Promise.reject('a mistake'))
  activity.tell('recorded', [])
  expect(await told.promise).toBe('a mistake')
})

test('a listener that throws is told as an error and hinders no other', () => {
  const told = vi.fn()
  const activity = new DeliveryActivity(told)
  const other = vi.fn()
  const mistake = new Error('a mistake of the user')
  activity.on('recorded', () => {
    throw mistake
  })
  activity.on('recorded', other)
  activity.tell('recorded', ['evt_1'])
  expect(told).toHaveBeenCalledExactlyOnceWith(mistake, 'recorded')
  expect(other).toHaveBeenCalledExactlyOnceWith(['evt_1'])
})

test('a listener given to once is called once', () => {
  const activity = new DeliveryActivity(() => {})
  const listener = vi.fn()
  activity.once('recorded', listener)
  activity.tell('recorded', ['evt_1'])
  activity.tell('recorded', ['evt_2'])
  expect(listener).toHaveBeenCalledExactlyOnceWith(['evt_1'])
})
