/** How endpoints did in the last day: a small line for the success rate and one for the latency, with their words. */
import type { EndpointStats } from '../../../client/index.ts'
import { countText, msText, percentText } from '../../kit/figure-text.ts'
import { Sparkline } from '../../kit/sparkline.tsx'
import { type Answer, useAnswer } from '../../kit/use-answer.ts'
import { server } from '../../server.ts'

/** By endpoint. What is not known yet is absent. */
export type LastDays = ReadonlyMap<string, EndpointStats>

export function useLastDays(ids: readonly string[]): Answer<LastDays> {
  const endpointIds = ids.join()
  return useAnswer(
    `last day of ${endpointIds}`,
    async (call): Promise<LastDays> => {
      if (endpointIds === '') return new Map()
      const { items } = await server.stats.readEndpoints({ endpointIds }, call)
      return new Map(items.map((item) => [item.endpointId, item]))
    },
    { everyMs: 30_000 },
  )
}

export function SuccessOfDay({ of }: { readonly of: EndpointStats | undefined }) {
  if (of === undefined) return <>…</>
  if (of.attemptCount === 0) return <span class="hint">no attempts</span>
  const rate = percentText(of.successRate)
  const attempts = `${countText(of.attemptCount)} ${of.attemptCount === 1 ? 'attempt' : 'attempts'}`
  return (
    <span class="sparked">
      <Sparkline
        values={of.successRates}
        max={1}
        label={`Success rate of the last day by the hour: ${rate} of ${attempts}`}
      />{' '}
      {rate}
    </span>
  )
}

export function LatencyOfDay({ of }: { readonly of: EndpointStats | undefined }) {
  if (of === undefined) return <>…</>
  const { p50, p99 } = of.latencyMs
  if (p50 === null) return <span class="hint">–</span>
  return (
    <span class="sparked">
      <Sparkline
        values={of.latencyP50s}
        label={`Latency of the last day by the hour: half of the attempts within ${msText(p50)}, 99 % within ${msText(p99)}`}
      />{' '}
      {msText(p50)}
    </span>
  )
}
