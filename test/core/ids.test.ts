import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bytesToId,
  createIdFactory,
  type IdPrefix,
  idPrefixes,
  idTime,
  idToBytes,
  largestIdAt,
  parseId,
  smallestIdAt,
} from '../../src/core/ids.ts'
import { defaultTenantId } from '../../src/core/model.ts'

const prefixes = Object.values(idPrefixes)
const anyPrefix = fc.constantFrom<IdPrefix>(...prefixes)
const anyBytes = fc.uint8Array({ minLength: 16, maxLength: 16 })

describe('the text form of ids', () => {
  // Valid cases of the TypeID specification (spec/valid.yml): uuid and suffix.
  it.each([
    ['00000000000000000000000000000000', '00000000000000000000000000'],
    ['00000000000000000000000000000001', '00000000000000000000000001'],
    ['0000000000000000000000000000000a', '0000000000000000000000000a'],
    ['00000000000000000000000000000010', '0000000000000000000000000g'],
    ['00000000000000000000000000000020', '00000000000000000000000010'],
    ['ffffffffffffffffffffffffffffffff', '7zzzzzzzzzzzzzzzzzzzzzzzzz'],
    ['0110c8531d0952d8d73e1194e95b5f19', '0123456789abcdefghjkmnpqrs'],
    ['01890a5dac96774bbcceb302099a8057', '01h455vb4pex5vsknk084sn02q'],
  ])('writes %s as %s and reads it back', (hex, suffix) => {
    expect(bytesToId('evt', Buffer.from(hex, 'hex'))).toBe(`evt_${suffix}`)
    expect(Buffer.from(idToBytes(`evt_${suffix}`)).toString('hex')).toBe(hex)
  })

  it('carries any 16 bytes there and back under every prefix', () => {
    fc.assert(
      fc.property(anyPrefix, anyBytes, (prefix, bytes) => {
        const id = bytesToId(prefix, bytes)
        expect(parseId(id, prefix)).toBe(id)
        expect(idToBytes(id)).toEqual(bytes)
      }),
    )
  })

  it('sorts as text in the order of the bytes', () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, (a, b) => {
        const byText = Math.sign(Number(bytesToId('dlv', a) > bytesToId('dlv', b)) * 2 - 1)
        expect(Buffer.compare(a, b) || -1).toBe(byText)
      }),
    )
  })

  it('refuses bytes that are not 16', () => {
    expect(() => bytesToId('evt', new Uint8Array(15))).toThrow(/16 bytes, not 15/)
  })
})

describe('parseId', () => {
  const good = 'evt_01h455vb4pex5vsknk084sn02q'

  it('accepts the id of the default tenant', () => {
    expect(parseId(defaultTenantId, 'ten')).toBe(defaultTenantId)
  })

  it.each([
    ['another prefix', good, 'dlv'],
    ['a prefix that only begins alike', good, 'ep'],
    ['no prefix', good.slice(4), 'evt'],
    ['another separator', good.replace('_', '-'), 'evt'],
    ['a character too few', good.slice(0, -1), 'evt'],
    ['a character too many', `${good}0`, 'evt'],
    ['upper case', good.toUpperCase(), 'evt'],
    ['an upper-case digit', good.replace('q', 'Q'), 'evt'],
    ['a first digit above 7', good.replace('_0', '_8'), 'evt'],
    ['the letter u', good.replace('q', 'u'), 'evt'],
    ['the letter l', good.replace('q', 'l'), 'evt'],
    ['a character beyond ASCII', good.replace('q', 'é'), 'evt'],
    ['a trailing newline', `${good.slice(0, -1)}\n`, 'evt'],
    ['nothing', '', 'evt'],
  ] as const)('refuses %s', (_name, text, prefix) => {
    expect(parseId(text, prefix)).toBeNull()
  })

  it('leaves malformed text to an error in idToBytes', () => {
    for (const text of ['', 'evt_', 'evt_8zzzzzzzzzzzzzzzzzzzzzzzzz', 'evt_u1h455vb4pex5vsknk084sn02q']) {
      expect(() => idToBytes(text)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
    }
  })
})

describe('createIdFactory', () => {
  it('makes ids that tell their millisecond and are version 7', () => {
    const id = createIdFactory(() => 1_700_000_000_123).next('sub')
    expect(id).toMatch(/^sub_/)
    expect(idTime(id)).toBe(1_700_000_000_123)
    const bytes = idToBytes(id)
    expect((bytes[6] as number) >> 4).toBe(7)
    expect((bytes[8] as number) >> 6).toBe(2)
  })

  it('grows with every id, however the clock jumps', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 2 ** 44 }), { minLength: 2, maxLength: 50 }),
        (times) => {
          let step = 0
          const ids = createIdFactory(() => times[step++] as number)
          const made = times.map(() => ids.next('evt'))
          expect(made).toEqual([...made].sort())
          expect(new Set(made).size).toBe(made.length)
        },
      ),
    )
  })

  it('takes its randomness from what it is given', () => {
    const make = (seed: number) =>
      createIdFactory(
        () => 1000,
        () => seed,
      ).next('evt')
    expect(make(7)).toBe(make(7))
    expect(make(7)).not.toBe(make(8))
  })
})

describe('bounds of a millisecond', () => {
  it('enclose every id of that millisecond and none of its neighbours', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 47 }), (time) => {
        const at = (ms: number) => createIdFactory(() => ms).next('evt')
        const [low, high] = [smallestIdAt('evt', time), largestIdAt('evt', time)]
        expect(at(time) >= low && at(time) <= high).toBe(true)
        expect(at(time - 1) < low).toBe(true)
        expect(at(time + 1) > high).toBe(true)
        expect([idTime(low), idTime(high)]).toEqual([time, time])
      }),
    )
  })

  it('clamp times that no id can have', () => {
    expect(smallestIdAt('evt', -5)).toBe('evt_00000000000000000000000000')
    expect(largestIdAt('evt', Number.MAX_SAFE_INTEGER)).toBe('evt_7zzzzzzzzzzzzzzzzzzzzzzzzz')
  })
})
