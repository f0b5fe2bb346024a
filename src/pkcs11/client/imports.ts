/** The HSM's verbs for imported key material, over the management pipe. */

import type { HsmImports, WrappedMaterial } from '../import/hsm-imports.ts'
import type { Connection } from './connection.ts'

/** The imports over the pipes of whatever HSM process is running. */
export function importsOver(connection: Connection): HsmImports {
  return {
    async makeWrappingKey(input) {
      return Buffer.from(await connection.manage('makeWrappingKey', input), 'base64')
    },
    async destroyWrappingKey(id) {
      await connection.manage('destroyWrappingKey', id)
    },
    listWrappingKeys: () => connection.manage('listWrappingKeys', null),
    checkMaterial: (material) => connection.manage('checkMaterial', sent(material)),
    async importBackingKey(input) {
      const publicKey = await connection.manage('importBackingKey', sent(input))
      return publicKey === null ? undefined : Buffer.from(publicKey, 'base64')
    },
  }
}

function sent<Input extends WrappedMaterial>(input: Input) {
  return { ...input, encryptedKeyMaterial: input.encryptedKeyMaterial.toString('base64') }
}
