/** The type of the bodies that an endpoint gets is said in one of two places. */
import { OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import type { ConfigStore, EndpointPatch } from '../store/port.ts'

export interface ContentTypesContext {
  readonly store: Pick<ConfigStore, 'getEndpoint'>
  readonly words: FaceWords
  readonly tenantId: string
  /** Null: it is being made. */
  readonly id: string | null
}

/** Throws `unprocessable` where both would stand, be it given or there already: one of them would have no effect. */
export async function checkContentTypes(
  given: EndpointPatch,
  { store, words, tenantId, id }: ContentTypesContext,
): Promise<void> {
  const { contentType, headers } = given
  if ((contentType ?? headers?.['content-type'] ?? null) === null) return
  const isWhole = id === null || (contentType !== undefined && headers !== undefined)
  const known = isWhole ? null : await store.getEndpoint(tenantId, id)
  const after = { contentType: null, headers: {} as Readonly<Record<string, string>>, ...known, ...given }
  if (after.contentType === null || after.headers['content-type'] === undefined) return
  throw new OuthookError(
    'unprocessable',
    `${words.member('content_type')} and headers["content-type"] cannot both stand; keep one of them`,
  )
}
