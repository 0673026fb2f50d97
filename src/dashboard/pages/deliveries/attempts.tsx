/** Every attempt of a delivery, the latest first: what was sent, what came back, and what that means. */
import type {
  AttemptWithResponse,
  CapturedResponse,
  DeliveryDetail,
  RebuiltRequest,
} from '../../../client/index.ts'
import { curlOf, needsFile } from '../../curl.ts'
import { explainError } from '../../error-words.ts'
import { Badge, CodeBlock, Facts, Part } from '../../kit/detail.tsx'
import { useAnswer } from '../../kit/use-answer.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'
import { decodePayload } from '../events/payload-text.ts'
import { readPayload } from '../events/read-payload.ts'
import { showBody } from './show-body.ts'

export function Attempts({ of }: { readonly of: DeliveryDetail }) {
  const { attempts, attemptsTruncated, eventId } = of
  const { value } = useAnswer(`payload of ${eventId}`, (call) =>
    readPayload(server, { id: eventId, expungedAt: null }, call),
  )
  const payload = value?.bytes ? decodePayload(value.bytes) : null
  return (
    <Part title="Attempts">
      {attempts.length === 0 && (
        <p class="empty">{attemptsTruncated ? 'They are past their retention.' : 'None was made yet.'}</p>
      )}
      {attempts.toReversed().map((attempt, index) => (
        <OneAttempt
          key={attempt.claimVersion}
          of={attempt}
          isLatest={index === 0}
          payload={payload}
          eventId={eventId}
        />
      ))}
      {attemptsTruncated && attempts.length > 0 && (
        <p class="hint">Older attempts are past their retention.</p>
      )}
    </Part>
  )
}

interface OneAttemptProps {
  readonly of: AttemptWithResponse
  readonly isLatest: boolean
  readonly payload: PayloadText
  readonly eventId: string
}

function OneAttempt({ of, isLatest, payload, eventId }: OneAttemptProps) {
  const { status, httpStatus, errorClass, error, response, rebuiltRequest } = of
  const words = errorClass === null ? null : explainError(errorClass)
  return (
    <details class="attempt" open={isLatest}>
      <summary>
        {/* One that made no request is not counted, and has the number of the one before. */}
        {errorClass === 'internal' ? 'No request' : `Attempt ${of.attemptNo}`}{' '}
        <Badge is={status === 'success' ? 'good' : 'bad'}>{httpStatus ?? errorClass ?? status}</Badge>{' '}
        <Time at={of.startedAt} />
      </summary>
      {words !== null && (
        <p>
          {words.what} <span class="hint">What to do: {words.todo}</span>
        </p>
      )}
      <Facts
        of={[
          ['Begun', <Time key="begun" at={of.startedAt} />],
          ['Took', `${of.latencyMs} ms`],
          ['Answer', httpStatus === null ? 'none' : String(httpStatus)],
          ['Class of error', errorClass],
          // Of an answer it repeats the beginning, which stands below.
          ['Error', response === undefined ? error : null],
          ['It is tried again', status === 'retryable_failure' ? 'if attempts are left' : null],
        ]}
      />
      {rebuiltRequest !== undefined && <Sent of={rebuiltRequest} payload={payload} eventId={eventId} />}
      {response !== undefined && <Answer of={response} />}
    </details>
  )
}

/** Null: it is not kept any more, or is no text, and then there is no line for a shell. */
type PayloadText = string | null

interface SentProps {
  readonly of: RebuiltRequest
  readonly payload: PayloadText
  readonly eventId: string
}

function Sent({ of, payload, eventId }: SentProps) {
  const { method, url, headers, authorized, changedSince } = of
  const hasBody = method !== 'GET' && method !== 'DELETE'
  const body = hasBody ? payload : null
  // As the page of the event calls what it downloads.
  const bodyFile = `${eventId}.json`
  return (
    <>
      <CodeBlock
        label="Headers of the request"
        text={[`${method} ${url}`, ...headers.map(({ name, value }) => `${name}: ${value}`)].join('\n')}
      />
      <p class="hint">
        Rebuilt: what was sent is not kept, so this is made again of the event and of what the endpoint has
        now.{' '}
        {changedSince && (
          <strong>The endpoint was changed after this attempt: it may have been another one. </strong>
        )}
        {authorized && 'A credential adds to it, which is not shown. '}
        Names of the connection, such as host, are left out, and of the address what may be secret: its path
        and query stand with the endpoint.
      </p>
      {(payload !== null || !hasBody) && (
        <details>
          <summary>As curl</summary>
          <CodeBlock label="curl" text={curlOf({ method, url, headers, body, bodyFile })} />
          {needsFile(body) && (
            <p class="hint">
              The payload is too long for a line of a shell: download it on the page of the event, and run
              this where {bodyFile} is.
            </p>
          )}
          <p class="hint">
            Put path and query behind its address. It goes to the receiver itself, which may take it for a
            repetition, or refuse it because its signature is older than a few minutes.
          </p>
        </details>
      )}
    </>
  )
}

function Answer({ of }: { readonly of: CapturedResponse }) {
  const { title, text } = showBody(of)
  return (
    <>
      {of.url !== undefined && <p>Of {of.url}, one of the URLs of the endpoint.</p>}
      <CodeBlock
        label="Headers of the answer"
        text={of.headers.map(({ name, value }) => `${name}: ${value}`).join('\n') || '(none)'}
      />
      <CodeBlock label={`Body of the answer${title}`} text={text} />
      {of.truncated && (
        <p class="hint">
          The body is truncated: it went on after the{' '}
          {of.body.length === 0 ? 'headers' : 'part that was kept'}, or broke off.
        </p>
      )}
    </>
  )
}
