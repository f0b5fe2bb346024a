/** Material that is known, to prove a wrapping key with: what it is, and what its check value is. */

import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { MAC_HASHES } from '../../model/asymmetric/schemes.ts'
import { type KeyKind, keySpecRow, materialOf } from '../../model/key-specs.ts'
import { spkiOf } from '../kinds/public-keys.ts'
import { KNOWN, softwareCheckValue } from './unwrapping.ts'

const AES_BYTES = 32
const MODULUS_BITS = 2048

let rsa: ReturnType<typeof pair> | undefined

/** New material of a kind, as an owner would wrap it. */
export function sampleOf(kind: KeyKind): { readonly value: Buffer; readonly checkValue: Buffer } {
  const material = materialOf(kind.spec)
  switch (material.type) {
    case 'AES': {
      const value = randomBytes(AES_BYTES)
      return { value, checkValue: softwareCheckValue(value) }
    }
    case 'secret': {
      const value = randomBytes(material.bytes)
      const [algorithm] = keySpecRow(kind.spec).macAlgorithms
      if (algorithm === undefined) throw new Error(`${kind.spec} makes no MACs`)
      const checkValue = createHmac(MAC_HASHES[algorithm], value).update(KNOWN).digest()
      return { value, checkValue }
    }
    case 'EC':
      return pair(generateKeyPairSync('ec', { namedCurve: material.curve }).privateKey)
    case 'Ed25519':
      return pair(generateKeyPairSync('ed25519').privateKey)
    case 'RSA':
      // Made once, since it takes a tenth of a second: it guards nothing.
      rsa ??= pair(generateKeyPairSync('rsa', { modulusLength: MODULUS_BITS }).privateKey)
      return rsa
  }
}

function pair(privateKey: KeyObject) {
  return {
    value: privateKey.export({ type: 'pkcs8', format: 'der' }),
    checkValue: spkiOf(createPublicKey(privateKey)),
  }
}
