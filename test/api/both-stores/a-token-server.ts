/** A real OAuth2 server whose answers a test decides: it counts, refuses, and gives tokens that end when it says. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { OAuth2Server } from 'oauth2-mock-server'

export interface TokenAsked {
  readonly authorization: string | undefined
  readonly form: Readonly<Record<string, string>>
}

export interface TokenServer {
  readonly url: string
  readonly asked: readonly TokenAsked[]
  /** Seconds that the next tokens are good. */
  expiresIn: number
  /** What it takes as secret; null: any. */
  secret: string | null
  /** When a token ends, milliseconds since the epoch; undefined: it was given by nobody, or revoked. */
  endOf(token: string): number | undefined
  revoke(): void
  stop(): Promise<void>
}

export async function startTokenServer(): Promise<TokenServer> {
  const server = new OAuth2Server()
  await server.issuer.keys.generate('RS256')
  await server.start(0, '127.0.0.1')
  const asked: TokenAsked[] = []
  const ends = new Map<string, number>()
  const state = {
    url: `http://127.0.0.1:${new URL(server.issuer.url ?? '').port}/token`,
    asked,
    expiresIn: 3600,
    secret: null as string | null,
    endOf: (token: string) => ends.get(token),
    revoke: () => ends.clear(),
    stop: () => server.stop(),
  }
  server.service.on('beforeResponse', (response, { headers, body }) => {
    asked.push({ authorization: headers.authorization, form: { ...body } })
    const basic = Buffer.from((headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString()
    const given = body.client_secret ?? decodeURIComponent(basic.split(':')[1] ?? '')
    if (state.secret !== null && given !== state.secret) {
      response.statusCode = 401
      response.body = { error: 'invalid_client', error_description: `no such secret: ${given}` }
      return
    }
    // Two tokens of one second would be the same text.
    const token = `token-${asked.length}.${String((response.body as Record<string, unknown>).access_token)}`
    response.body = { access_token: token, token_type: 'Bearer', expires_in: state.expiresIn }
    ends.set(token, Date.now() + state.expiresIn * 1000)
  })
  return state
}

/** Takes every request and never answers. */
export async function startHangingServer() {
  let requests = 0
  const server = createServer(() => {
    requests += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    get requests() {
      return requests
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
