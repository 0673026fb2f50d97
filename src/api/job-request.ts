/** Bodies that make a job, as the engine takes them. */
import { idFilter, timeRange } from './page-request.ts'

interface JobRequestBody {
  readonly endpoint_id?: string
  readonly topic?: string
  readonly since?: string
  readonly until?: string
  readonly error_class?: string
  readonly all?: boolean
  readonly rate?: number
}

export function jobInput(body: JobRequestBody) {
  const { endpoint_id: endpointId, topic, error_class: errorClass, all, rate } = body
  return {
    ...(endpointId !== undefined && { endpointId: idFilter(endpointId, 'endpoint_id', 'ep') }),
    ...(topic !== undefined && { topic }),
    ...timeRange(body),
    ...(errorClass !== undefined && { errorClass }),
    ...(all !== undefined && { all }),
    ...(rate !== undefined && { rate }),
  }
}
