import type { RequestStore } from '../../port.ts'
import { writeAs } from '../audit/write-audited.ts'
import type { Runner } from '../connection/runner.ts'
import { getRequest, keepAnswer, writeOnce } from './requests.ts'

export function createRequestStore({ plain, atomic }: Runner): RequestStore {
  return {
    getRequest: (id) => plain('read', (context) => getRequest(context, id)),
    writeOnce: (request, write) =>
      atomic('config', (context) =>
        writeOnce(context, request, { name: write.name, run: () => writeAs(context, write) }),
      ),
    keepAnswer: (request, answer) => atomic('config', (context) => keepAnswer(context, request, answer)),
  }
}
