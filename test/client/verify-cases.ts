/** The vectors of `outhook/verify`, once for every runtime. */
import { createVerifier, type SchemeName, webhookHandler } from '../../src/verify/index.ts'

interface Vector {
  readonly scheme: SchemeName
  readonly secrets: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly now: number
}

const standard = { 'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330' }
const vectors: readonly Vector[] = [
  {
    scheme: 'standard',
    secrets: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    headers: { ...standard, 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=' },
    body: '{"test": 2432232314}',
    now: 1614265330,
  },
  {
    scheme: 'standard',
    secrets: 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=',
    headers: {
      ...standard,
      'webhook-signature':
        'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
    },
    body: '{"test": 2432232314}',
    now: 1614265330,
  },
  {
    scheme: 'hookrail',
    secrets: 'whsec_test_secret',
    headers: {
      'hookrail-delivery-id': '01JXAMPLEDELIVERYID0000000',
      'hookrail-signature':
        't=1781092800,v1=d270845b932d510270e3b7132b702de5b0c03c3781221badb79fe39c66672644',
    },
    body: '{"order_id":"o_1","amount":42}',
    now: 1781092800,
  },
  {
    scheme: 'pyfly',
    secrets: 'topsecret',
    headers: {
      'x-pyfly-signature': 'sha256=2f57aa6d6cb5a4a9e7dabdd9ba4ce220a8d0e76f7819668552b18a887c96257c',
    },
    body: '{"～":1,"😀":2,"z":3}',
    now: 0,
  },
]

/** Of each vector: as it stands, with another body, and through the handler of requests. */
export function runVerifyCases(): Promise<readonly (readonly unknown[])[]> {
  return Promise.all(
    vectors.map(async ({ headers, body, now, ...options }) => {
      const verifier = createVerifier({ ...options, now: () => now })
      const codeOf = (text: string) =>
        verifier.verify({ headers, body: text }).then(
          (webhook) => webhook.scheme,
          (error) => error.code,
        )
      const handle = webhookHandler({ ...options, now: () => now }, (webhook) => new Response(webhook.text()))
      const answer = await handle(new Request('http://a.example/', { method: 'POST', headers, body }))
      return [await codeOf(body), await codeOf(`${body}\n`), (await answer.text()) === body]
    }),
  )
}

export const expectedVerifyCases = vectors.map(({ scheme }) => [
  scheme,
  // The canonical form of JSON has no spaces, wherever they came from.
  scheme === 'pyfly' ? 'pyfly' : 'no_match',
  true,
])
