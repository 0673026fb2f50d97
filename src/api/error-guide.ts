/** What each error means and what to do about it: for the reference page and for the pages that a problem's type names. */
import type { ErrorCode } from '../core/errors.ts'

export interface ErrorGuide {
  readonly happened: string
  readonly todo: string
}

const repairRequest = 'Mend what `detail` names and send it again; the same request fails again.'
const comeBack = 'Send the same request again after `Retry-After` seconds, with the same idempotency key.'
const askOperator = 'Nothing that the caller can mend: whoever runs the server finds the reason in its log.'

export const errorGuide: Readonly<Record<ErrorCode, ErrorGuide>> = {
  invalid_request: {
    happened: 'A header, the path, a parameter of the query or an option has a value that it cannot have.',
    todo: repairRequest,
  },
  invalid_body: {
    happened: 'The body is no JSON, or not of the form that the route takes.',
    todo: repairRequest,
  },
  invalid_payload: {
    happened: 'The payload cannot be written as JSON without losing something, or is no JSON.',
    todo: 'Give a value that JSON can hold; `detail` names the place.',
  },
  bad_cursor: {
    happened: 'The cursor is not one that a list has given.',
    todo: 'Pass `next_cursor` of the page before as it is, or none to begin.',
  },
  ordering_key_conflict: {
    happened: 'Header, body and payload name different ordering keys.',
    todo: 'Give one of them, or the same text in all.',
  },
  ordering_key_too_long: {
    happened: 'The ordering key has more than 256 bytes of UTF-8.',
    todo: 'Give a shorter one, such as the id of what has to stay in order.',
  },
  unauthorized: {
    happened: 'The token is unknown, was revoked or has expired.',
    todo: 'Send a token that is in use; `outhook keys list` shows which exist.',
  },
  missing_credentials: {
    happened: 'The request has no token.',
    todo: 'Send it as `Authorization: Bearer <token>`.',
  },
  forbidden: {
    happened: 'The token is known, and may not do this.',
    todo: 'Use an admin token of the role that `detail` names, or a producer key whose scopes and abilities cover it.',
  },
  not_found: {
    happened: 'There is no such path or nothing with that id, or the token may not see it.',
    todo: 'Look at the path and the id; what was deleted is listed with `include_deleted=true`.',
  },
  method_not_allowed: {
    happened: 'The path exists, but does not take this method.',
    todo: 'Use one of the methods that the header `Allow` lists.',
  },
  request_timeout: {
    happened: 'Headers or body did not arrive in time.',
    todo: 'Send the whole request at once.',
  },
  conflict: {
    happened: 'Something else is already there under that name.',
    todo: 'Choose another name, or change what is there.',
  },
  idempotency_conflict: {
    happened: 'The idempotency key was used before, for another event or another request.',
    todo: 'Use a key of its own for each; repeat one with exactly the same payload or body.',
  },
  endpoint_not_available: {
    happened: 'The endpoint is unknown or was deleted.',
    todo: 'Give the id of an endpoint that exists.',
  },
  not_replayable: {
    happened: 'The delivery is in a state from which it cannot be sent again, or what it went to is deleted.',
    todo: 'Look at its state: a dead letter can be replayed, and whatever has come to an end can be resent.',
  },
  attempt_under_way: {
    happened: 'An attempt of the delivery is under way, which is not interrupted.',
    todo: 'Wait for its outcome, and cancel again if the delivery waits then.',
  },
  not_cancellable: {
    happened: 'The delivery has come to an end, so there is nothing to cancel.',
    todo: 'Look at its state.',
  },
  not_skippable: {
    happened: 'The delivery is not the dead-lettered head of an ordering key, so there is nothing to skip.',
    todo: 'Look at its state and at `GET /v1/ordered-keys?blocked=true`; whatever waits for an attempt can be cancelled.',
  },
  expired: {
    happened:
      'The payload is past its retention and was removed, or was expunged on demand; the detail says which.',
    todo: 'Publish the event again if it is still wanted.',
  },
  version_conflict: {
    happened: 'Somebody has changed the object since its version, which `If-Match` names, was read.',
    todo: 'Read the object again, decide by what it is now, and send the change with its new `ETag`.',
  },
  payload_too_large: {
    happened: 'The body, or the payload in it, is larger than the route takes.',
    todo: 'Send less, or a link to what is large.',
  },
  uri_too_long: {
    happened: 'A part of the path is longer than any id.',
    todo: 'Send an id as the server gave it.',
  },
  unsupported_media_type: {
    happened: 'The body is compressed.',
    todo: 'Send it without `Content-Encoding`.',
  },
  expectation_failed: {
    happened: 'The header `Expect` asks for something else than `100-continue`.',
    todo: 'Leave it out.',
  },
  url_rejected: {
    happened: 'The URL of the endpoint is not one that the server sends to.',
    todo: 'Use an `https://` URL of a public address, or have the operator allow what `detail` names.',
  },
  payload_mismatch: {
    happened:
      'The payload is not as the schema of its event type says, which is enforced. Nothing of the event was stored.',
    todo: 'Mend the payload where `path` and `detail` say, or the schema: `GET /v1/event-types/{name}` shows it.',
  },
  unprocessable: {
    happened: 'The body has the right form, and a value that cannot be.',
    todo: repairRequest,
  },
  headers_too_large: {
    happened: 'URL and headers together have more than 16 KiB.',
    todo: 'Send less of them.',
  },
  rate_limited: {
    happened:
      'More events came with the key, or for the tenant, than its rate allows; or too many requests with tokens that nobody has came from this address.',
    todo: 'Wait for `Retry-After` seconds and send the event again, with the same idempotency key. A token that is in use is let in all the while.',
  },
  backlog_full: {
    happened:
      'As many deliveries of this ordering key wait in an ordered subscription as the server allows; nothing of the event was stored. Other keys are taken.',
    todo: 'Wait for `Retry-After` seconds and send the event again, with the same idempotency key. If it stays so, the head of the key may be dead: `outhook ordered-keys list --blocked` shows it, to be replayed or skipped.',
  },
  internal: {
    happened: 'Something went wrong inside the server.',
    todo: askOperator,
  },
  store_refused: {
    happened:
      'The store refused what was to be written, and undid the whole call; sent again, it refuses again.',
    todo: 'Nothing was stored. The message says what the store did not take; it is a defect, so report it.',
  },
  store_unavailable: {
    happened:
      'The database cannot be used just now, so nothing was promised; what was asked for may have happened.',
    todo: comeBack,
  },
  overloaded: {
    happened: 'More bodies are being received at once than the server holds, and this one made no progress.',
    todo: comeBack,
  },
  shutting_down: {
    happened: 'The process is stopping and takes nothing in any more.',
    todo: 'Send the same request again: another process, or this one after its restart, takes it.',
  },
  timeout: {
    happened: 'What was waited for did not happen in time.',
    todo: 'Wait longer, or look at the state again later.',
  },
  invalid_config: {
    happened: 'A setting has a value that it cannot have.',
    todo: 'Mend the setting that the message names, and start again.',
  },
  store_locked: {
    happened: 'Another process uses the SQLite database.',
    todo: 'Stop that process, or use PostgreSQL for several.',
  },
  store_missing: {
    happened: 'The SQLite database is missing or empty, though its key file, log or lock file is there.',
    todo: 'Check the path and that its disk is mounted, or restore a backup; `--new-store` begins with an empty one.',
  },
  store_incompatible: {
    happened: 'A newer version has changed the store beyond what this one knows.',
    todo: 'Run at least the version that the message names.',
  },
  wrong_master_key: {
    happened: 'The master key is not the one that the secrets of the store were sealed with.',
    todo: 'Give the key whose fingerprint the message names.',
  },
  closed: {
    happened: 'This object was closed.',
    todo: 'Open another one.',
  },
}
