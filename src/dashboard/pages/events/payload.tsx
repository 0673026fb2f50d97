/** The payload: as people read it, as it is, and byte by byte; and the request that would publish it again. */
import type { EventStatus } from '../../../client/index.ts'
import { curlOf, keyPlaceholder, needsFile } from '../../curl.ts'
import { indentJson } from '../../indent-json.ts'
import { useUrlState } from '../../kit/address.ts'
import { CodeBlock, Loading, Part, Problem } from '../../kit/detail.tsx'
import { oneOf } from '../../kit/url-values.ts'
import { useAnswer } from '../../kit/use-answer.ts'
import { server, serverUrl } from '../../server.ts'
import { Time } from '../../times.tsx'
import { decodePayload, dumpBytes, maxShownBytes, publishBody } from './payload-text.ts'
import { readPayload } from './read-payload.ts'

const ways = [
  ['pretty', 'Pretty'],
  ['raw', 'Raw'],
  ['bytes', 'Exact bytes'],
] as const

const shape = { payload: oneOf(['pretty', 'raw', 'bytes']) }

export function Payload({ of }: { readonly of: EventStatus }) {
  const { value, problem, again } = useAnswer(`payload ${of.id} ${of.expungedAt}`, (call) =>
    readPayload(server, of, call),
  )
  const text = value?.bytes ? decodePayload(value.bytes) : null
  return (
    <>
      <Part title="Payload">
        {problem !== null && <Problem what="The payload could not be read" why={problem} onAgain={again} />}
        {value === null && problem === null && <Loading />}
        {value?.gone === 'expunged' && (
          <p class="empty">
            Expunged: somebody had it taken out of the store for good
            {of.expungedAt !== null && (
              <>
                {' '}
                <Time at={of.expungedAt} />
              </>
            )}
            . It cannot be shown or sent again.
          </p>
        )}
        {value?.gone === 'expired' && (
          <p class="empty">
            Expired: payloads are kept for a time, and that of this event is over. It cannot be shown or sent
            again.
          </p>
        )}
        {value?.bytes && <Shown id={of.id} bytes={value.bytes} text={text} />}
      </Part>
      {of.topic !== null && text !== null && <PublishAgain of={of} topic={of.topic} payload={text} />}
    </>
  )
}

interface PublishAgainProps {
  readonly of: EventStatus
  readonly topic: string
  readonly payload: string
}

function PublishAgain({ of, topic, payload }: PublishAgainProps) {
  const body = publishBody({ ...of, topic }, payload)
  const bodyFile = `${of.id}-again.json`
  return (
    <Part title="Publish it again">
      <p class="hint">
        As a new event, with a producer key in the place of {keyPlaceholder}. Its deliveries can be sent again
        without that: each has a button for it.
      </p>
      {needsFile(body) && (
        <p class="bar">
          <button
            type="button"
            class="small"
            onClick={() => download(bodyFile, new TextEncoder().encode(body))}
          >
            Download the body
          </button>
          <span class="hint">
            It is too long for a line of a shell: save it as {bodyFile} where you run this.
          </span>
        </p>
      )}
      <CodeBlock
        label="curl"
        text={curlOf({
          method: 'POST',
          url: new URL('v1/events', serverUrl).href,
          headers: [
            { name: 'authorization', value: `Bearer ${keyPlaceholder}` },
            { name: 'content-type', value: 'application/json' },
          ],
          body,
          bodyFile,
        })}
      />
    </Part>
  )
}

interface ShownProps {
  readonly id: string
  readonly bytes: Uint8Array
  /** Null: they are none. */
  readonly text: string | null
}

function Shown({ id, bytes, text }: ShownProps) {
  const [{ payload: chosen }, set] = useUrlState(shape)
  const way = text === null ? 'bytes' : chosen
  return (
    <>
      <div class="bar">
        {ways.map(([name, label]) => (
          <button
            key={name}
            type="button"
            class="small"
            aria-pressed={way === name}
            disabled={text === null && name !== 'bytes'}
            onClick={() => set({ payload: name }, 'replace')}
          >
            {label}
          </button>
        ))}
        <button type="button" class="small" onClick={() => download(`${id}.json`, bytes)}>
          Download
        </button>
        <span class="hint">
          {bytes.length} bytes{text === null && ', which are no text'}
        </span>
      </div>
      {way === 'pretty' && text !== null && <Pretty text={text} />}
      {way === 'raw' && text !== null && <CodeBlock label="Payload, as it is" text={text} />}
      {way === 'bytes' && (
        <>
          <CodeBlock label="Payload, byte by byte" text={dumpBytes(bytes)} />
          {bytes.length > maxShownBytes && (
            <p class="hint">The first {maxShownBytes} bytes; download it for the others.</p>
          )}
        </>
      )}
    </>
  )
}

function Pretty({ text }: { readonly text: string }) {
  const pretty = indentJson(text)
  return (
    <CodeBlock label={pretty === null ? 'Payload, as it is' : 'Payload, indented'} text={pretty ?? text} />
  )
}

/** As bytes that no browser shows: what somebody published must not become a page. */
function download(name: string, bytes: Uint8Array): void {
  const url = URL.createObjectURL(new Blob([bytes.slice()], { type: 'application/octet-stream' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
