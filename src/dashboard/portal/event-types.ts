/** The catalogue of events, where the server has one. */
import type { Client } from '../../client/index.ts'
import { statusOf } from './session.tsx'

export interface EventType {
  readonly name: string
  readonly description: string
  /** Undefined: there is none. */
  readonly example: unknown
}

interface TypesAnswer {
  readonly items: readonly {
    readonly name: string
    readonly description?: string
    readonly example?: unknown
  }[]
}

const maxTypes = 200

export async function readEventTypes(server: Client): Promise<readonly EventType[]> {
  // The client has them where the server has.
  if (!('eventTypes' in server)) return []
  try {
    const query = { limit: maxTypes }
    const { items } = await server.request<TypesAnswer>('GET', '/v1/event-types', { query })
    return items.map(({ name, description = '', example }) => ({
      name,
      description,
      example: example ?? undefined,
    }))
  } catch (error) {
    // A server without a catalogue, or one that links may not read.
    if (statusOf(error) === 404 || statusOf(error) === 403) return []
    throw error
  }
}
