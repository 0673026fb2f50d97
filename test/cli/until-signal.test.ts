import { EventEmitter } from 'node:events'
import { beforeEach, describe, expect, test } from 'vitest'
import { runUntilSignal } from '../../src/cli/until-signal.ts'

let elapsed: number
let exits: number[]
let signals: EventEmitter
const clock = { elapsed: () => elapsed }

beforeEach(() => {
  elapsed = 0
  exits = []
  signals = new EventEmitter()
})

const io = {
  printError: () => {},
  signals: {
    onSignal(listener: (name: string) => void) {
      signals.on('signal', listener)
      return () => void signals.off('signal', listener)
    },
    exit: (code: number) => void exits.push(code),
  },
}

function startUntilSignal() {
  const drained = Promise.withResolvers<void>()
  const ended = runUntilSignal(io, async () => ({ close: () => drained.promise }), clock)
  return { drained, ended }
}

describe('running until a signal', () => {
  test('a second signal, a while after the first, ends at once with 1', async () => {
    const { drained, ended } = startUntilSignal()
    signals.emit('signal')
    elapsed = 1500
    signals.emit('signal')
    expect(exits).toEqual([1])
    drained.resolve()
    await ended
  })

  test('what follows the first within a second is the same one', async () => {
    const { drained, ended } = startUntilSignal()
    signals.emit('signal')
    elapsed = 900
    signals.emit('signal')
    expect(exits).toEqual([])
    drained.resolve()
    await ended
  })

  test('a signal during the start closes what was started', async () => {
    const started = Promise.withResolvers<{ close(): Promise<void> }>()
    let closed = false
    const ended = runUntilSignal(io, () => started.promise, clock)
    signals.emit('signal')
    started.resolve({
      close: async () => {
        closed = true
      },
    })
    await ended
    expect(closed).toBe(true)
  })

  test('hears no more signals afterwards, when the start fails neither', async () => {
    await expect(runUntilSignal(io, () => Promise.reject(new Error('no')), clock)).rejects.toThrow('no')
    expect(signals.listenerCount('signal')).toBe(0)
  })

  test('what is lost ends it without a signal, and is what it rejects with', async () => {
    const lost = Promise.withResolvers<Error>()
    let closed = false
    const close = async () => {
      closed = true
      throw new Error('nothing can be stored')
    }
    const ended = runUntilSignal(io, async () => ({ close, lost: lost.promise }), clock)
    lost.resolve(new Error('the store is gone'))
    await expect(ended).rejects.toThrow('the store is gone')
    expect(closed).toBe(true)
    expect(signals.listenerCount('signal')).toBe(0)
  })
})
