/** Headers of an answer, as both databases keep them. */
import type { CapturedResponse } from '../core/model.ts'

type CapturedHeaders = CapturedResponse['headers']

let lastHeaders: CapturedHeaders = []
let lastHeadersText = '[]'

/** The column `response_headers`. Answers that say the same share one list, whose text is written once. */
export function capturedHeadersText(headers: CapturedHeaders): string {
  if (headers !== lastHeaders) {
    lastHeadersText = JSON.stringify(headers)
    lastHeaders = headers
  }
  return lastHeadersText
}
