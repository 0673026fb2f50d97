/** A page in a Chromium of this machine, driven over its debugging protocol. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'vitest'
import { browserFlags } from './find-browser.ts'

export interface BrowserPage {
  /** Errors of the console, exceptions, and what the page's policy has kept out. */
  readonly complaints: readonly string[]
  /** Every address that was asked for. */
  readonly requested: readonly string[]
  open(url: string): Promise<void>
  /** What the expression is in the page. */
  evaluate<T>(expression: string): Promise<T>
  /** Waits until the page shows the text. */
  shows(text: string): Promise<void>
  /** Types into what has the focus. */
  type(text: string): Promise<void>
  press(key: 'Enter' | 'Tab' | 'Space'): Promise<void>
  /** Ends the browser. */
  close(): Promise<void>
}

interface Message {
  readonly id?: number
  readonly method?: string
  // biome-ignore lint/suspicious/noExplicitAny: the protocol has no types here.
  readonly params?: any
  // biome-ignore lint/suspicious/noExplicitAny: likewise.
  readonly result?: any
  readonly error?: { readonly message: string }
}

const keys = {
  Enter: { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13, text: '\r' },
  Tab: { key: 'Tab', code: 'Tab', windowsVirtualKeyCode: 9 },
  Space: { key: ' ', code: 'Space', windowsVirtualKeyCode: 32, text: ' ' },
} as const

export async function openPage(browser: string): Promise<BrowserPage> {
  const profile = mkdtempSync(join(tmpdir(), 'outhook-browser-'))
  const flags = [...browserFlags, '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank']
  const child = spawn(browser, flags, { stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(child, 'exit')
  const port = await debuggingPort(child.stderr)
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as readonly {
    readonly type: string
    readonly webSocketDebuggerUrl: string
  }[]
  const target = targets.find(({ type }) => type === 'page')
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '')
  await once(socket, 'open')

  const complaints: string[] = []
  const requested: string[] = []
  const waiting = new Map<number, PromiseWithResolvers<Message>>()
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message
    if (message.id !== undefined) return waiting.get(message.id)?.resolve(message)
    if (message.method === 'Network.requestWillBeSent') requested.push(message.params.request.url)
    const complaint = complaintOf(message)
    if (complaint !== null) complaints.push(complaint)
  })
  let last = 0
  const send = async (method: string, params: object = {}) => {
    const id = ++last
    const answer = Promise.withResolvers<Message>()
    waiting.set(id, answer)
    socket.send(JSON.stringify({ id, method, params }))
    const { result, error } = await answer.promise
    waiting.delete(id)
    if (error !== undefined) throw new Error(`${method}: ${error.message}`)
    return result
  }
  for (const domain of ['Page', 'Runtime', 'Network', 'Log', 'Audits']) await send(`${domain}.enable`)

  const evaluate = async (expression: string) => {
    const { result, exceptionDetails } = await send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception.description)
    return result.value
  }
  return {
    complaints,
    requested,
    evaluate,
    open: async (url) => void (await send('Page.navigate', { url })),
    shows: (text) => expect.poll(() => evaluate('document.body?.innerText ?? ""')).toContain(text),
    type: async (text) => void (await send('Input.insertText', { text })),
    async press(name) {
      await send('Input.dispatchKeyEvent', { type: 'keyDown', ...keys[name] })
      await send('Input.dispatchKeyEvent', { type: 'keyUp', ...keys[name] })
    },
    async close() {
      socket.close()
      child.kill()
      await exited
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function debuggingPort(stderr: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stderr })) {
    const port = /DevTools listening on ws:\/\/[^:]+:(\d+)\//.exec(line)?.[1]
    if (port === undefined) continue
    // Nobody reads on, and a full pipe would hold the browser up.
    stderr.resume()
    return port
  }
  throw new Error('the browser ended before it listened')
}

function complaintOf({ method, params }: Message): string | null {
  switch (method) {
    case 'Runtime.exceptionThrown':
      return params.exceptionDetails.exception?.description ?? params.exceptionDetails.text
    case 'Runtime.consoleAPICalled':
      return ['error', 'warning', 'assert'].includes(params.type) ? JSON.stringify(params.args) : null
    case 'Log.entryAdded':
      return ['error', 'warning'].includes(params.entry.level)
        ? `${params.entry.text} ${params.entry.url ?? ''}`
        : null
    case 'Audits.issueAdded':
      return params.issue.code === 'ContentSecurityPolicyIssue' ? JSON.stringify(params.issue.details) : null
    default:
      return null
  }
}
