/** CPU of one `send()` of the stand-alone sender beside that of one `undici.request`, in turns in the same minute. */
import { sendLanes } from '../harness/load-shape.ts'
import type { Part, PartContext } from '../part.ts'
import type { ReceiverCommands } from '../processes/receivers.ts'
import type { SendsCommands, SendWay } from '../processes/sends.ts'

export const senderCpu: Part = { names: ['sender-cpu'], on: 'sqlite', run: measureSends }

async function measureSends(context: PartContext): Promise<void> {
  const { series, quick, runs, say } = context
  const job = { count: quick ? 3000 : 40_000, concurrency: sendLanes }
  const receivers = await context.start<ReceiverCommands>('receivers')
  const [port = 0] = await receivers.call('listen', { count: 1 })
  const start = async (way: SendWay) => {
    const sender = await context.start<SendsCommands>('sends')
    await sender.call('open', { way, port })
    return async () => (await sender.call('send', job)).cpuMicros / job.count
  }
  const sendRaw = await start('undici.request')
  const sendUnsigned = await start('unsigned')
  const sendSigned = await start('signed')

  say('warming up')
  for (const send of [sendRaw, sendUnsigned, sendSigned]) await send()
  for (let run = 0; run < runs; run++) {
    const [raw, unsigned, signed] = [await sendRaw(), await sendUnsigned(), await sendSigned()]
    series.add('sender, CPU µs per undici.request', raw)
    series.add('sender, CPU µs per send, unsigned', unsigned)
    series.add('sender, CPU µs per send, signed', signed)
    series.add('sender, CPU per send over CPU per undici.request, unsigned', unsigned / raw)
    series.add('sender, CPU per send over CPU per undici.request, signed', signed / raw)
    say(`raw ${raw.toFixed(1)} µs; unsigned ${unsigned.toFixed(1)} µs; signed ${signed.toFixed(1)} µs`)
  }
}
