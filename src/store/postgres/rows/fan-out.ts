/**
 * The deliveries of an event, as its row lists them, so that the large tables need no index by event: three ids for each,
 * of the delivery, its subscription and its endpoint.
 */
import type { NewEvent } from '../../port.ts'

export const entryLength = 3

type WithDeliveries = Pick<NewEvent, 'deliveries'>

export interface FanOutLists {
  /** All events' entries, one after the other. */
  readonly entries: readonly (string | null)[]
  /** Of each event, where its part begins and ends, counted from 1; empty when it ends before it begins. */
  readonly from: readonly number[]
  readonly to: readonly number[]
}

/** What `fanOutSlice` cuts each event's list out of: an array of arrays cannot be given as a parameter. */
export function listFanOuts(events: readonly WithDeliveries[]): FanOutLists {
  const entries: (string | null)[] = []
  const from: number[] = []
  const to: number[] = []
  for (const { deliveries } of events) {
    from.push(entries.length + 1)
    for (const { id, subscriptionId, endpointId } of deliveries) entries.push(id, subscriptionId, endpointId)
    to.push(entries.length)
  }
  return { entries, from, to }
}

/** SQL: the list of the event whose part is named by the columns. */
export function fanOutSlice(from: string, to: string): string {
  return `($entries)[${from} : ${to}]`
}

/** SQL: one id of the delivery with that number, counted from 1. */
export function entryAt(number: string, part: 'id' | 'subscription' | 'endpoint'): string {
  const back = { id: 2, subscription: 1, endpoint: 0 }[part]
  return `($entries)[${entryLength} * ${number} - ${back}]`
}

/** SQL: the ids of the deliveries that the list of an event names, as rows `(id)`. */
export function deliveriesIn(fanOut: string): string {
  return `(select (${fanOut})[nth] as id from generate_series(1, cardinality(${fanOut}), ${entryLength}) nth)`
}

/** SQL: those of an event, which is a row of `id` and `fan_out`, with those that slices have made. */
export function deliveriesOf(event: string): string {
  return `(select id from ${deliveriesIn(`${event}.fan_out`)} listed
    union all select unnest(s.delivery_ids) from fan_out_slices s where s.event_id = ${event}.id)`
}

/** SQL, of a delivery that the list names. */
export function subscriptionIn(fanOut: string, id: string): string {
  return `(${fanOut})[array_position(${fanOut}, ${id}) + 1]`
}

export function endpointIn(fanOut: string, id: string): string {
  return `(${fanOut})[array_position(${fanOut}, ${id}) + 2]`
}
