import { expect, onTestFinished, test } from 'vitest'
import { defaultTenantId } from '../../src/core/model.ts'
import type { AuditedWrite, Store } from '../../src/store/port.ts'
import { openWriterScene } from './a-writer.ts'

test('a change whose line cannot be written is not there either', async () => {
  const scene = await openWriterScene((_sql, statement) => statement)
  onTestFinished(() => scene.close())
  const { endpointId } = await scene.anEndpoint({ description: 'as it was' })
  // Of the writer, behind the calls of the store.
  const { writeAudited } = scene.store as Store & { writeAudited(write: AuditedWrite): Promise<unknown> }
  const change = (description: string) =>
    writeAudited({
      name: 'updateEndpoint',
      args: [defaultTenantId, endpointId, { description }],
      actor: { kind: 'library', id: null },
    })
  const shown = async () => (await scene.store.getEndpoint(defaultTenantId, endpointId))?.description
  await change('changed')
  expect(await shown()).toBe('changed')
  scene.database.exec('alter table audit_log rename to elsewhere')
  await expect(change('lost')).rejects.toThrow(/audit_log/)
  expect(await shown()).toBe('changed')
})
