// An API route of the Pages Router: POST /api/webhooks.
import type { NextApiRequest, NextApiResponse } from 'next'
import { createVerifier, VerificationError, verifyNodeRequest } from 'outhook/verify'

// The signature is over the bytes, so nothing may parse them before.
export const config = { api: { bodyParser: false } }

const verifier = createVerifier({ secrets: () => process.env.WEBHOOK_SECRET ?? '' })

// biome-ignore lint/style/noDefaultExport: Next.js takes the default export of a page.
export default async function handler(request: NextApiRequest, response: NextApiResponse): Promise<void> {
  try {
    const webhook = await verifyNodeRequest(request, verifier)
    response.json({ received: webhook.id, event: webhook.json() })
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error
    response.status(401).json({ error: error.code })
  }
}
