/** A real name server on the loopback, over UDP, whose answers a test writes and changes. */
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { isIPv6 } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Lookup } from '../../src/sender/resolver.ts'

/** Addresses of both families, and before them the names of a chain of CNAMEs. */
export interface Answer {
  readonly chain?: readonly string[]
  readonly addresses: readonly string[]
}

export interface DnsServer {
  /** What a name answers: one answer after the other for each look-up, the last one again and again. */
  answer(name: string, ...answers: readonly (Answer | readonly string[])[]): void
  /** Asks this server and no other, for both families, as the system would. */
  readonly lookup: Lookup
  /** Look-ups of the name so far. */
  asked(name: string): number
}

const types = { a: 1, cname: 5, aaaa: 28 } as const

export async function aDnsServer(): Promise<DnsServer> {
  const scripts = new Map<string, readonly Answer[]>()
  const counts = new Map<string, number>()
  const socket = createSocket('udp4')
  socket.on('message', (query, from) => {
    const { name, type, end } = readQuestion(query)
    const key = `${name} ${type}`
    const count = counts.get(key) ?? 0
    counts.set(key, count + 1)
    const script = scripts.get(name) ?? []
    const answer = script[Math.min(count, script.length - 1)]
    socket.send(writeAnswer(query.subarray(0, end), { name, type, answer }), from.port, from.address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => socket.close(() => resolve())))
  const resolver = new Resolver({ timeout: 5000, tries: 2 })
  resolver.setServers([`127.0.0.1:${socket.address().port}`])
  return {
    answer(name, ...answers) {
      counts.delete(`${name} ${types.a}`)
      counts.delete(`${name} ${types.aaaa}`)
      scripts.set(
        name,
        answers.map((each) => ('addresses' in each ? each : { addresses: each })),
      )
    },
    async lookup(hostname) {
      const [v4, v6] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
      const all = [
        ...(v4.status === 'fulfilled' ? v4.value : []).map((address) => ({ address, family: 4 })),
        ...(v6.status === 'fulfilled' ? v6.value : []).map((address) => ({ address, family: 6 })),
      ]
      if (all.length === 0) throw Object.assign(new Error(`no such name: ${hostname}`), { code: 'ENOTFOUND' })
      return all
    },
    asked: (name) => counts.get(`${name} ${types.a}`) ?? 0,
  }
}

function readQuestion(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}

interface Asked {
  readonly name: string
  readonly type: number
  /** Undefined: there is no such name. */
  readonly answer: Answer | undefined
}

/** @param question the header and the question of the query */
function writeAnswer(question: Buffer, { name, type, answer }: Asked): Buffer {
  const records: Buffer[] = []
  let owner = name
  for (const next of answer?.chain ?? []) {
    records.push(record(owner, types.cname, nameBytes(next)))
    owner = next
  }
  for (const address of answer?.addresses ?? []) {
    const isV6 = isIPv6(address)
    if ((isV6 ? types.aaaa : types.a) === type) records.push(record(owner, type, addressBytes(address)))
  }
  const head = Buffer.from(question)
  // A response, authoritative, recursion available; 3: there is no such name.
  head.writeUInt16BE(0x8580 | (answer === undefined ? 3 : 0), 2)
  head.writeUInt16BE(records.length, 6)
  head.writeUInt32BE(0, 8)
  return Buffer.concat([head, ...records])
}

function record(owner: string, type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(1, 2)
  // A time to live of 0: whoever keeps the answer does so on its own account.
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([nameBytes(owner), fixed, data])
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label, 'latin1')]))
  return Buffer.concat([...labels, Buffer.from([0])])
}

function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number))
  // `URL` writes it with hexadecimal groups only.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (text: string) =>
    text === '' ? [] : text.split(':').map((each) => Number.parseInt(each, 16))
  const before = groups(head)
  const after = groups(tail ?? '')
  const all = [...before, ...Array(8 - before.length - after.length).fill(0), ...after]
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 255]))
}
