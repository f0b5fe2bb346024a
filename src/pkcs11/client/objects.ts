/** The HSM's verbs for objects, over the management pipe. */

import type { CipherSuite } from '../../model/key.ts'
import type { HsmObjects } from '../hsm.ts'
import type { Connection } from './connection.ts'
import { importsOver } from './imports.ts'

/** A backing key found by a list: its id's 32 hex digits and its suite's digit. */
const LISTED_CHARACTERS = 33

/** The verbs of object management. */
export function objectsOver(connection: Connection, onCanary: (id: string) => void): HsmObjects {
  return {
    ...importsOver(connection),
    suite: () => connection.manage('suite', null),
    lacks: async (kind) => (await connection.manage('lacks', kind)) ?? undefined,
    generateBackingKey: async (input) =>
      bytesOf(await connection.manage('generateBackingKey', input)),
    provesBackingKey: ({ publicKey, ...input }) =>
      connection.manage('provesBackingKey', {
        ...input,
        publicKey: publicKey?.toString('base64'),
      }),
    publicKeyOf: async (input) => bytesOf(await connection.manage('publicKeyOf', input)),
    async destroyBackingKey(id) {
      await connection.manage('destroyBackingKey', id)
    },
    async listBackingKeys() {
      const listed = await connection.manage('listBackingKeys', null)
      return Array.from({ length: listed.length / LISTED_CHARACTERS }, (_, index) => {
        const at = index * LISTED_CHARACTERS
        const digit = listed[at + LISTED_CHARACTERS - 1]
        const suite: CipherSuite | undefined = digit === '1' ? 1 : digit === '2' ? 2 : undefined
        return { id: listed.slice(at, at + LISTED_CHARACTERS - 1), suite }
      })
    },
    async createCanary() {
      const id = await connection.manage('createCanary', null)
      onCanary(id)
      return id
    },
  }
}

function bytesOf(base64: string | null): Buffer | undefined {
  return base64 === null ? undefined : Buffer.from(base64, 'base64')
}
