/** What the scenes of the portal share: a server that delivers, a tenant, a receiver, a browser, and a page around it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { plainPortal } from '../../../src/api/portal-page.ts'
import type { PortalAbility } from '../../../src/core/portal.ts'
import { aServer, type TestServer } from '../../api/a-server.ts'
import { type AnsweringReceiver, startAnsweringReceiver } from './answering-receiver.ts'
import { launchBrowser } from './watched-page.ts'

export interface PortalBed {
  readonly server: TestServer
  readonly receiver: AnsweringReceiver
  readonly browser: Browser
  readonly tenantId: string
  /** Of the page that has the portal in a frame, whose address it is told by its query. */
  readonly parent: string
  /** Of one that may not. */
  readonly stranger: string
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into at will.
  make(method: string, path: string, body?: object): Promise<any>
  /** The URL of a new link, and its id. */
  link(
    abilities: readonly PortalAbility[],
    body?: object,
  ): Promise<{ readonly url: string; readonly id: string; readonly token: string }>
  close(): Promise<void>
}

/** A page of another origin, which keeps what it is told; its height follows. */
const parentPage = `<!doctype html><title>Customer's own page</title>
<iframe title="Webhooks" width="700" height="100"></iframe>
<script>
  const frame = document.querySelector('iframe')
  window.told = []
  addEventListener('message', (event) => {
    if (event.source !== frame.contentWindow) return
    window.told.push({ origin: event.origin, data: event.data })
    frame.height = event.data.height
  })
  frame.src = new URLSearchParams(location.search).get('portal')
</script>`

async function servePage(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(parentPage)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

export async function openPortalBed(config: Readonly<Record<string, unknown>> = {}): Promise<PortalBed> {
  const closing: (() => unknown)[] = []
  const close = async () => {
    for (const one of closing.toReversed()) await one()
  }
  try {
    const [parent, stranger] = [await servePage(), await servePage()]
    closing.push(parent.close, stranger.close)
    const server = await aServer({
      config: { allowHttp: true, allowNetworks: ['127.0.0.0/8'], ...config },
      portal: { ...plainPortal, frameAncestors: [parent.url] },
      closeWith: (one) => void closing.push(one),
      dispatch: true,
    })
    const receiver = await startAnsweringReceiver()
    closing.push(() => receiver.close())
    const browser = await launchBrowser()
    closing.push(() => browser.close())
    const make: PortalBed['make'] = async (method, path, body) => {
      const { status, json, text } = await server.call(method, path, body === undefined ? {} : { body })
      if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`)
      return json
    }
    const { id: tenantId } = await make('POST', '/v1/tenants', { uid: 'acme', name: 'Acme Inc.' })
    const link: PortalBed['link'] = (abilities, body = {}) =>
      make('POST', `/v1/tenants/${tenantId}/portal-links`, { abilities, ...body })
    return {
      server,
      receiver,
      browser,
      tenantId,
      parent: parent.url,
      stranger: stranger.url,
      make,
      link,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
