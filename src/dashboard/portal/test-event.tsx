/** Sends an endpoint an event now, and shows at once what it answers. */
import { useState } from 'preact/hooks'
import type { Endpoint, EndpointTestResult } from '../../client/index.ts'
import { t } from './locales.ts'
import { Act, Code, Part } from './parts.tsx'
import { useSession } from './session.tsx'

export function TestEvent({ endpoint }: { readonly endpoint: Endpoint }) {
  const { server } = useSession()
  const [result, setResult] = useState<EndpointTestResult | null>(null)
  const test = async () => {
    const answered = await server.endpoints.test(endpoint.id)
    setResult(answered)
    const { succeeded, httpStatus, latencyMs, error } = answered
    if (succeeded) return t('testGood', { status: httpStatus ?? '', ms: latencyMs })
    throw new Error(t('testBad', { why: error ?? String(httpStatus) }))
  }
  const body = result?.response?.body ?? ''
  return (
    <Part title={t('test')}>
      <p class="hint">{t('testHint')}</p>
      <Act act={test}>{t('sendTest')}</Act>
      {body !== '' && <Code label={t('answer')} text={body} />}
    </Part>
  )
}
