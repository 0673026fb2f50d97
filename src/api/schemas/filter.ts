import {
  filterOperators,
  maxFilterBytes,
  maxFilterConditions,
  maxFilterDepth,
} from '../../core/filter/parse-filter.ts'

/** How a filter is described. It is read and checked by the engine, so this documents and validates nothing. */
export const filterDocument = {
  title: 'Filter',
  type: ['object', 'null'],
  additionalProperties: true,
  description:
    'what an event’s payload has to be like to be delivered: members by their names, with the value that they have to have or an object of operators ' +
    `(${filterOperators.join(', ')}). null and {}: payloads may be anything. At most ${maxFilterBytes} bytes, ${maxFilterConditions} conditions and ${maxFilterDepth} levels`,
  examples: [{ type: 'order', total: { $gte: 100 }, tags: ['gift'] }],
}
