/** Filters and payloads of 10 kB that are made to take long. */
import type { FilterVerdict } from '../../../src/core/filter/evaluate.ts'

export type HostileCase = readonly [name: string, filter: object, json: string, verdict: FilterVerdict]

const many = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index))
const list = (count: number, json: string) => `[${Array(count).fill(json).join(',')}]`

export const orderOf10Kb = JSON.stringify({
  id: 'o_1',
  type: 'order',
  items: many(66, (index) => ({
    sku: `sku-${index}`,
    title: `A thing number ${index}`,
    qty: index,
    price: { amount: index * 100, currency: 'EUR' },
    tags: ['a', 'b', 'c'],
    note: 'lorem ipsum dolor sit amet',
  })),
})
const prose = JSON.stringify({ text: 'lorem ipsum dolor sit amet '.repeat(370) })
const alternating = JSON.stringify({ text: 'ab'.repeat(5000) })
const words = ['refund', 'charge', 'invoice', 'dispute', 'cancel', 'renew', 'upgrade', 'queue', 'box', 'jazz']
const wide = JSON.stringify(Object.fromEntries(many(1000, (index) => [`k${index}`, index])))
const oddObjects = `[${many(600, (index) => `{"k${index}":1,"a":1}`).join(',')}]`

export const hostileCases: readonly HostileCase[] = [
  ['one member', { type: 'order' }, orderOf10Kb, 'passes'],
  [
    'conditions on the items of an order',
    { type: 'order', items: { qty: { $gte: 1000 }, price: { currency: 'EUR' } } },
    orderOf10Kb,
    'fails',
  ],
  [
    'ten conditions on the items of an order',
    { $or: many(10, (index) => ({ items: { sku: `x${index}` } })) },
    orderOf10Kb,
    'fails',
  ],
  [
    'ten words in 10 kB of prose',
    { $or: words.map((word) => ({ text: { $contains: word } })) },
    prose,
    'fails',
  ],
  [
    'fifty conditions on the items of an order',
    { $or: many(50, (index) => ({ items: { sku: `x${index}` } })) },
    orderOf10Kb,
    'too_costly',
  ],
  [
    'sixty conditions on 1250 small objects',
    { $or: many(60, (index) => ({ a: index + 2 })) },
    list(1250, '{"a":1}'),
    'too_costly',
  ],
  [
    'objects of 600 shapes',
    { $or: many(30, (index) => ({ a: index + 2, [`b${index}`]: 1 })) },
    oddObjects,
    'too_costly',
  ],
  ['a number in a list of 5000', { list: 2 }, `{"list":${list(5000, '1')}}`, 'fails'],
  [
    'sixty numbers in a list of 5000',
    { $or: many(60, (index) => ({ $contains: index + 2 })) },
    list(5000, '1'),
    'too_costly',
  ],
  [
    'one of two in a list of 5000',
    { $or: many(30, (index) => ({ $in: [index + 2, 'x'] })) },
    list(5000, '1'),
    'too_costly',
  ],
  [
    'conditions on elements of a list of 5000',
    { list: [{ $gt: 2 }] },
    `{"list":${list(5000, '1')}}`,
    'too_costly',
  ],
  [
    'a text that is nearly there everywhere',
    { text: { $contains: `${'ab'.repeat(100)}bb` } },
    alternating,
    'too_costly',
  ],
  ['a short text that is nearly there everywhere', { text: { $contains: 'bb' } }, alternating, 'too_costly'],
  [
    'long texts that are equal',
    { text: 'a'.repeat(8000) },
    JSON.stringify({ text: 'a'.repeat(8000), rest: 'x'.repeat(2000) }),
    'passes',
  ],
  ['lists 5000 deep', { a: 1 }, `${'['.repeat(5000)}${']'.repeat(5000)}`, 'too_costly'],
  ['190 members of 1000', Object.fromEntries(many(190, (index) => [`k${index}`, index])), wide, 'passes'],
  [
    'an object of 90 members that is one of 1000',
    { $eq: Object.fromEntries(many(90, (index) => [`k${index}`, index])) },
    wide,
    'fails',
  ],
  [
    'an object of 700 members that is one of 1000',
    { $eq: Object.fromEntries(many(700, (index) => [`k${index}`, index])) },
    wide,
    'too_costly',
  ],
  [
    'many objects that are one of 1000 members',
    { $or: many(90, (index) => ({ $eq: { [`k${index}`]: index } })) },
    wide,
    'fails',
  ],
  [
    'texts in order in a list of 1600',
    { list: [{ $gt: 'b' }] },
    `{"list":${list(1600, '"aa"')}}`,
    'too_costly',
  ],
  [
    'prefixes of elements of a list of 1600',
    { list: [{ $startsWith: many(100, (index) => `a${index}b`) }] },
    `{"list":${list(1600, '"aa"')}}`,
    'too_costly',
  ],
  [
    'suffixes of a long text, nearly there',
    { text: { $endsWith: many(20, () => `b${'a'.repeat(390)}`) } },
    JSON.stringify({ text: 'a'.repeat(9980) }),
    'fails',
  ],
  [
    'texts of one length in a list of 200',
    { $or: many(90, (index) => ({ list: `${'x'.repeat(40)}${100 + index}` })) },
    JSON.stringify({ list: many(200, (index) => `${'x'.repeat(40)}${300 + index}`) }),
    'too_costly',
  ],
  [
    'one of texts of one length in a list of 200',
    { $or: many(50, (index) => ({ list: { $contains: `${'x'.repeat(40)}${100 + index}` } })) },
    JSON.stringify({ list: many(200, (index) => `${'x'.repeat(40)}${300 + index}`) }),
    'too_costly',
  ],
  [
    'long texts in order, alike to their last letter',
    { $or: many(8, (index) => ({ text: { $gt: `${'a'.repeat(900)}b${index}` } })) },
    JSON.stringify({ text: `${'a'.repeat(9980)}` }),
    'fails',
  ],
  [
    'conditions on nested lists',
    { $or: many(20, (index) => ({ a: { b: index + 2 } })) },
    list(620, '{"a":[{"b":1}]}'),
    'too_costly',
  ],
  [
    'objects in 1250 objects',
    { $or: many(20, (index) => ({ $contains: { a: 1, b: index } })) },
    list(1250, '{"a":1}'),
    'too_costly',
  ],
]
