/** The address guard by itself, as a request meets it: at its URL, and at each new connection. */
import { type Spent, startMeter } from '../harness/cpu-meter.ts'
import { loadAddressGuard, loadAddressPolicy } from '../harness/product.ts'
import { serveCommands } from '../harness/serve-commands.ts'

const { refuseAnswers, refuseUrl } = await loadAddressGuard()
const { createAddressPolicy } = await loadAddressPolicy()
/** As an operator may have it, so that no list is empty. */
const policy = createAddressPolicy({
  allowNetworks: ['127.0.0.0/8'],
  allowHosts: ['hooks.internal'],
  denyNetworks: ['203.0.113.0/24'],
  denyHosts: ['denied.example'],
})
const host = 'hooks.example.com'
const url = new URL(`https://${host}/hook`)
const known = [
  { address: '93.184.216.34', family: 4 },
  { address: '2606:4700:4700::1111', family: 6 },
]

function expectNothing(refused: string | null): void {
  if (refused !== null) throw new Error(`the guard refused: ${refused}`)
}

function measure(count: number, check: (at: number) => string | null): Spent {
  const spent = startMeter()
  for (let at = 0; at < count; at++) expectNothing(check(at))
  return spent()
}

const commands = {
  /** A new connection whose name has two addresses that were judged before. */
  known: async ({ count }: { count: number }) => measure(count, () => refuseAnswers(known, policy, host)),
  /** One to an address that nobody asked for yet. */
  fresh: async ({ count }: { count: number }) =>
    measure(count, (at) => {
      const address = `8.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`
      return refuseAnswers([{ address, family: 4 }], policy, host)
    }),
  /** A URL that is seen for the first time: of an endpoint once, of a direct send each time. */
  url: async ({ count }: { count: number }) => measure(count, () => refuseUrl(url, policy)),
}

export type GuardCommands = typeof commands

serveCommands(commands)
