/** How a line about an attempt calls its endpoint: by the uid of its user's own, else by its id as tables show it. */
import type { Client } from '../client/client.ts'
import type { Clock } from '../core/clock.ts'
import { shortenId } from './short-id.ts'

/** A uid may change; asking for each of thousands of lines is too much. */
const keepMs = 2000
const maxNames = 10_000

export class EndpointNames {
  readonly #client: Client
  readonly #clock: Pick<Clock, 'elapsed'>
  readonly #names = new Map<string, { readonly name: Promise<string>; readonly until: number }>()

  constructor(client: Client, clock: Pick<Clock, 'elapsed'>) {
    this.#client = client
    this.#clock = clock
  }

  /** Never rejects: an endpoint that cannot be asked for is called by its id. */
  nameOf(id: string): Promise<string> {
    const now = this.#clock.elapsed()
    const known = this.#names.get(id)
    if (known !== undefined && known.until > now) return known.name
    if (this.#names.size >= maxNames) this.#names.clear()
    const name = this.#client.endpoints.get(id, { includeDeleted: true }).then(
      ({ uid }) => uid ?? shortenId(id),
      () => shortenId(id),
    )
    this.#names.set(id, { name, until: now + keepMs })
    return name
  }
}
