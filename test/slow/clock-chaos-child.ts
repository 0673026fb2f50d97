/** Chaos in a process whose clock libfaketime fakes: `node clock-chaos-child.ts STORE OFFSET_FILE EVENTS`. Prints the counts. */
import { writeFileSync } from 'node:fs'
import { Outhook } from '../../src/index.ts'
import { runClockChaos } from './clock-chaos.ts'

const [, , store = '', offsetFile = '', events = '0'] = process.argv
const hooks = await Outhook.open({
  store,
  allowHttp: true,
  allowNetworks: ['127.0.0.0/8'],
  breakerPause: '1s',
  breakerMaxPause: '2s',
})
let offsetMs = 0
let furthestMs = 0
const before = Date.now()
const counts = await runClockChaos({
  nodes: [hooks],
  events: Number(events),
  jump(ms) {
    offsetMs += ms
    writeFileSync(offsetFile, `${offsetMs < 0 ? '-' : '+'}${Math.abs(offsetMs) / 1000}`)
    furthestMs = Math.max(furthestMs, Math.abs(Date.now() - before))
  },
})
await hooks.close()
process.stdout.write(`${JSON.stringify({ ...counts, furthestMs })}\n`)
