/**
 * Which URL of an endpoint's pool an answer came from. It is kept as the first of the answer's headers, under a name that
 * no header of HTTP can have, so that answers of the many endpoints that have one URL take no room for it.
 */
import type { CapturedResponse } from './model.ts'

const urlName = ':url'

/** @param url as it may be shown to anybody */
export function withUrl(response: CapturedResponse, url: string): CapturedResponse {
  return { ...response, headers: [[urlName, url], ...response.headers] }
}

/** Null: of an endpoint that has one URL. */
export function urlOf({ headers: [first] }: Pick<CapturedResponse, 'headers'>): string | null {
  return first?.[0] === urlName ? first[1] : null
}

/** As it is read: with the URL by itself. */
export function splitUrl(response: CapturedResponse): CapturedResponse {
  const url = urlOf(response)
  return url === null ? response : { ...response, url, headers: response.headers.slice(1) }
}
