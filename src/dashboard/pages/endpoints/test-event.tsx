/** Sends a test event and shows at once what the receiver answered. */
import { useState } from 'preact/hooks'
import type { Endpoint, EndpointTestResult } from '../../../client/index.ts'
import { Badge, CodeBlock, Facts, Part } from '../../kit/detail.tsx'
import { Form, type FormValues, TextField } from '../../kit/form.tsx'
import { asJsonOrNull } from '../../kit/form-fields.ts'
import { useSession } from '../../kit/session.ts'
import { server } from '../../server.ts'

export function TestEvent({ endpoint }: { readonly endpoint: Endpoint }) {
  const { call } = useSession()
  const [result, setResult] = useState<EndpointTestResult | null>(null)
  const send = async (values: FormValues) => {
    setResult(null)
    const payload = asJsonOrNull('payload')(values('payload'))
    setResult(
      await server.endpoints.test(
        endpoint.id,
        { topic: values('topic'), payload },
        { ...call, timeoutMs: 70_000 },
      ),
    )
  }
  return (
    <Part title="Test event">
      <details>
        <summary>Send a test event</summary>
        <Form submit="Send" needs="operator" onSubmit={send}>
          <TextField name="topic" label="Topic" value="outhook.test" isRequired />
          <TextField name="payload" label="Payload" hint="JSON" value='{"test": true}' rows={3} isRequired />
        </Form>
      </details>
      <div role="status">{result !== null && <Answered result={result} />}</div>
    </Part>
  )
}

function Answered({ result }: { readonly result: EndpointTestResult }) {
  const { succeeded, httpStatus, errorClass, error, latencyMs, response } = result
  return (
    <>
      <p>
        <Badge is={succeeded ? 'good' : 'bad'}>{succeeded ? 'it arrived' : 'it failed'}</Badge>{' '}
        {succeeded ? `The receiver answered ${httpStatus} after ${latencyMs} ms.` : `${error ?? errorClass}.`}
      </p>
      {!succeeded && (
        <Facts
          of={[
            ['Status', httpStatus],
            ['Error', errorClass],
            ['After', `${latencyMs} ms`],
          ]}
        />
      )}
      {response !== undefined && (
        <>
          <CodeBlock
            label="Headers of the answer"
            text={response.headers.map(({ name, value }) => `${name}: ${value}`).join('\n')}
          />
          <CodeBlock
            label={`Body of the answer${response.encoding === 'base64' ? ', base64' : ''}${response.truncated ? ', cut off' : ''}`}
            text={response.body === '' ? '(empty)' : response.body}
          />
        </>
      )}
    </>
  )
}
