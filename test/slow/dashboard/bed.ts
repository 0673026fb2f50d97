/** What the scenes of one file share: a server that delivers, a receiver, a browser, and a browser per role that is signed in. */
import type { Browser } from 'playwright-core'
import { adminToken, aServer, type TestServer } from '../../api/a-server.ts'
import { type AnsweringReceiver, startAnsweringReceiver } from './answering-receiver.ts'
import { type ContextOptions, launchBrowser, openContext, type WatchedContext } from './watched-page.ts'

export type Role = 'viewer' | 'operator' | 'admin'

export interface Bed {
  readonly server: TestServer
  readonly receiver: AnsweringReceiver
  readonly browser: Browser
  readonly tokens: Readonly<Record<Role, string>>
  /** `POST` and the like, which have to succeed; answers with what came. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into at will.
  make(method: string, path: string, body?: object): Promise<any>
  /** A browser whose user is signed in; the first of each role enters its token, the others have its cookie. */
  signedIn(role: Role, options?: ContextOptions): Promise<WatchedContext>
  close(): Promise<void>
}

/** Opened once per file. */
export type OpenBed = () => Bed

export async function openBed(config: Readonly<Record<string, unknown>> = {}): Promise<Bed> {
  const closing: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const one of closing.toReversed()) await one()
  }
  try {
    const closeWith = (one: () => Promise<void>): void => void closing.push(one)
    const local = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }
    const server = await aServer({ config: { ...local, ...config }, closeWith, dispatch: true })
    const receiver = await startAnsweringReceiver()
    closing.push(() => receiver.close())
    const browser = await launchBrowser()
    closing.push(() => browser.close())
    const make: Bed['make'] = async (method, path, body) => {
      const { status, json, text } = await server.call(method, path, body === undefined ? {} : { body })
      if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`)
      return json
    }
    const aToken = async (role: Role) => {
      const { token } = await make('POST', '/v1/admin-tokens', { role, label: `${role} of the tests` })
      return token as string
    }
    const tokens = { viewer: await aToken('viewer'), operator: await aToken('operator'), admin: adminToken }
    const signIns = new Map<Role, ReturnType<typeof enter>>()
    const enter = async (role: Role) => {
      const opened = await openContext(browser)
      await signIn(opened.page, server.url, tokens[role])
      const state = await opened.context.storageState()
      await opened.context.close()
      return state
    }
    const signedIn: Bed['signedIn'] = async (role, options = {}) => {
      const entering = signIns.get(role) ?? enter(role)
      signIns.set(role, entering)
      return openContext(browser, { ...options, storageState: await entering })
    }
    return { server, receiver, browser, tokens, make, signedIn, close }
  } catch (error) {
    await close()
    throw error
  }
}

type Page = WatchedContext['page']

/** With the keyboard alone. */
export async function signIn(page: Page, base: string, token: string): Promise<void> {
  await page.goto(`${base}/dashboard/`)
  const field = page.getByLabel('Admin token')
  await field.focus()
  await page.keyboard.type(token)
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
}

/** Closes what a test has opened, whatever came of it. */
export async function using<T>(
  opened: WatchedContext,
  act: (opened: WatchedContext) => Promise<T>,
): Promise<T> {
  try {
    return await act(opened)
  } finally {
    await opened.context.close()
  }
}
