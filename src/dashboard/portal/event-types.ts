/** The catalogue of events that may be chosen. */
import type { Client } from '../../client/index.ts'

export interface EventType {
  readonly name: string
  readonly description: string
  /** Undefined: there is none. */
  readonly example: unknown
}

const maxTypes = 200

/** What is deprecated stays with whoever has chosen it, and is offered to nobody. */
export async function readEventTypes(server: Client): Promise<readonly EventType[]> {
  const { items } = await server.eventTypes.list({ limit: maxTypes, deprecated: false })
  return items.map(({ name, description, example }) => ({
    name,
    description,
    example: example ?? undefined,
  }))
}
