/** Every attempt of a delivery, the latest first: what was sent, what came back, and what that means. */
import type { AttemptWithResponse, CapturedResponse, DeliveryDetail } from '../../../client/index.ts'
import { explainError } from '../../error-words.ts'
import { Badge, CodeBlock, Facts, Part } from '../../kit/detail.tsx'
import { Time } from '../../times.tsx'
import { showBody } from './show-body.ts'

export function Attempts({ of }: { readonly of: DeliveryDetail }) {
  const { attempts, attemptsTruncated } = of
  return (
    <Part title="Attempts">
      {attempts.length === 0 && (
        <p class="empty">{attemptsTruncated ? 'They are past their retention.' : 'None was made yet.'}</p>
      )}
      {attempts.toReversed().map((attempt, index) => (
        <OneAttempt key={attempt.claimVersion} of={attempt} isLatest={index === 0} />
      ))}
      {attemptsTruncated && attempts.length > 0 && (
        <p class="hint">Older attempts are past their retention.</p>
      )}
    </Part>
  )
}

function OneAttempt({ of, isLatest }: { readonly of: AttemptWithResponse; readonly isLatest: boolean }) {
  const { status, httpStatus, errorClass, error, response } = of
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
      {response !== undefined && <Answer of={response} />}
    </details>
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
