/** The part of the package that tests use, in words that TypeScript 7 reads without the package's own dependencies. */
declare module 'oauth2-mock-server' {
  export interface TokenResponse {
    statusCode: number
    body: Record<string, unknown> | ''
  }

  export class OAuth2Server {
    readonly issuer: {
      readonly url: string | undefined
      readonly keys: { generate(algorithm: 'RS256'): Promise<unknown> }
    }
    readonly service: {
      on(
        event: 'beforeResponse',
        listener: (
          response: TokenResponse,
          request: {
            readonly headers: Readonly<Record<string, string | undefined>>
            readonly body: Readonly<Record<string, string>>
          },
        ) => void,
      ): void
    }
    start(port?: number, host?: string): Promise<void>
    stop(): Promise<void>
  }
}
