import { ApiError, type CallOptions, type Client, type EventStatus } from '../../../client/index.ts'

export interface ReadPayload {
  /** Null: it is gone. */
  readonly bytes: Uint8Array | null
  readonly gone: 'expunged' | 'expired' | null
}

/** What is known to be gone is not asked for. */
export async function readPayload(
  server: Client,
  { id, expungedAt }: Pick<EventStatus, 'id' | 'expungedAt'>,
  call: CallOptions,
): Promise<ReadPayload> {
  if (expungedAt !== null) return { bytes: null, gone: 'expunged' }
  try {
    return { bytes: await server.events.getPayload(id, call), gone: null }
  } catch (error) {
    if (error instanceof ApiError && error.status === 410) return { bytes: null, gone: 'expired' }
    throw error
  }
}
