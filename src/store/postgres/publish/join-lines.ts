/** Where new ordered deliveries come to stand, in the transaction that inserts them. */
import type { NewDelivery, NewEvent } from '../../port.ts'
import type { Context } from '../connection/statement.ts'
import { JoinedLines, type LineKey } from '../ordering/joined-lines.ts'
import { type Place, settleLines, unchanged } from '../ordering/lines.ts'
import { uuidOfId } from '../rows/wire-types.ts'

type OrderedEvent = Pick<NewEvent, 'tenantId' | 'orderingKey' | 'deliveries'>

export interface Joined<Event> {
  /** One that would make a line too long, with the subscription. */
  readonly full: ReadonlyMap<Event, string>
  readonly places: ReadonlyMap<NewDelivery, Place>
  readonly lines: JoinedLines
}

export function isOrdered({ deliveries }: OrderedEvent): boolean {
  return deliveries.some(({ ordered }) => ordered)
}

interface Joining {
  readonly delivery: NewDelivery
  readonly subscriptionId: string
  readonly key: LineKey
}

function joiningOf({ tenantId, orderingKey, deliveries }: OrderedEvent): readonly Joining[] {
  const tenant = uuidOfId(tenantId)
  return deliveries.flatMap((delivery) => {
    const { subscriptionId, ordered } = delivery
    if (!ordered || subscriptionId === null || orderingKey === null) return []
    return [
      { delivery, subscriptionId, key: { tenant, subscription: uuidOfId(subscriptionId), orderingKey } },
    ]
  })
}

/** Locks the lines, and gives the deliveries their places in the order of the events. */
export async function joinLines<Event extends OrderedEvent>(
  context: Context,
  events: readonly Event[],
  maxLength: number = Number.POSITIVE_INFINITY,
): Promise<Joined<Event>> {
  const joining = new Map(events.map((event) => [event, joiningOf(event)]))
  const lines = await JoinedLines.lock(
    context,
    Array.from(joining.values()).flatMap((ofEvent) => ofEvent.map(({ key }) => key)),
  )
  const full = new Map<Event, string>()
  const places = new Map<NewDelivery, Place>()
  for (const [event, ofEvent] of joining) {
    const tooMany = ofEvent.find(({ key }) => lines.isFull(key, maxLength))
    if (tooMany === undefined) for (const { delivery, key } of ofEvent) places.set(delivery, lines.take(key))
    else full.set(event, tooMany.subscriptionId)
  }
  return { full, places, lines }
}

/** After the insert: those of them that are inserted stand in their lines. */
export async function settleJoined(
  context: Context,
  { lines, places }: Pick<Joined<unknown>, 'lines' | 'places'>,
  inserted: readonly NewDelivery[],
): Promise<void> {
  await settleLines(context, [
    // What stayed empty goes.
    ...lines.all().map((line) => ({ ...unchanged, line })),
    ...inserted.flatMap((delivery) => {
      const at = places.get(delivery)
      return at === undefined ? [] : [{ ...unchanged, line: at.line, delta: 1, lastPlace: at.place }]
    }),
  ])
}
