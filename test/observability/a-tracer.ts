/** The real SDK of OpenTelemetry with an exporter in memory, registered for one file of tests. */
import { context, trace } from '@opentelemetry/api'
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { expect } from 'vitest'
import { patienceMs } from '../patience.ts'

export interface TestTracer {
  readonly provider: NodeTracerProvider
  /** Those that have ended, with this name. */
  spans(name: string): readonly ReadableSpan[]
  /** Waits for as many, of those that fit. */
  ended(name: string, count: number, fits?: (span: ReadableSpan) => boolean): Promise<readonly ReadableSpan[]>
  reset(): void
  close(): Promise<void>
}

export function aTracer({ registered }: { readonly registered: boolean }): TestTracer {
  const exporter = new InMemorySpanExporter()
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  if (registered) provider.register()
  const spans = (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name)
  return {
    provider,
    spans,
    async ended(name, count, fits = () => true) {
      await expect.poll(() => spans(name).filter(fits).length, { timeout: patienceMs }).toBe(count)
      return spans(name).filter(fits)
    },
    reset: () => exporter.reset(),
    async close() {
      if (registered) {
        trace.disable()
        context.disable()
      }
      await provider.shutdown()
    },
  }
}
