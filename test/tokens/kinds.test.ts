/** Keys of every kind over every token present: what a token lacks it says, the rest works. */

import {
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  randomUUID,
} from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { peerPoint } from '../../src/model/asymmetric/agreement.ts'
import { HASH_BYTES, MAC_HASHES } from '../../src/model/asymmetric/schemes.ts'
import { curveOf, verifiesSignature } from '../../src/model/asymmetric/verify.ts'
import type { Authorised } from '../../src/model/authorised.ts'
import type { Key } from '../../src/model/key.ts'
import { KEY_SPECS, type KeyKind, type KeySpec, keySpecRow } from '../../src/model/key-specs.ts'
import { type HsmHandle, startHsm } from '../../src/pkcs11/client/supervisor.ts'
import { keyWith } from '../pkcs11/token.ts'
import { nss } from './nss.ts'
import { softhsm } from './softhsm.ts'
import type { MadeToken } from './token-kind.ts'

const KINDS: readonly KeyKind[] = (Object.keys(KEY_SPECS) as KeySpec[])
  .filter((spec) => spec !== 'SYMMETRIC_DEFAULT' && keySpecRow(spec).refused === undefined)
  // The others of RSA differ in nothing but the time that they take.
  .filter((spec) => spec !== 'RSA_3072' && spec !== 'RSA_4096')
  .flatMap((spec) => keySpecRow(spec).usages.map((usage) => ({ spec, usage })))

const LACKS: Readonly<Record<string, readonly KeySpec[]>> = {
  'NSS softokn': ['ECC_SECG_P256K1', 'ECC_NIST_EDWARDS25519'],
  SoftHSM: [],
}

for (const { name, missing, make } of [softhsm, nss]) {
  if (missing !== undefined) console.log(`SKIPPED: keys of every kind on ${name}: ${missing}`)
  describe.skipIf(missing !== undefined)(name, () => {
    let token: MadeToken
    let handle: HsmHandle

    beforeAll(async () => {
      token = await make()
      handle = await startHsm(
        { ...token.settings, callTimeoutMs: 30_000 },
        { log: () => undefined },
      )
      await handle.objects.createCanary()
    })
    afterAll(async () => {
      await handle?.stop()
      await token?.remove()
    })

    test.each(KINDS)('$spec for $usage', { timeout: 60_000 }, async (kind) => {
      const lack = await handle.objects.lacks(kind)
      expect(lack !== undefined).toBe(LACKS[name]?.includes(kind.spec))
      if (lack !== undefined) return
      const id = randomBytes(16).toString('hex')
      const publicKey = await handle.objects.generateBackingKey({
        id,
        label: 'keyslot x 1',
        ...kind,
      })
      const material = { id, publicKey, ...kind }
      expect(await handle.objects.provesBackingKey(material)).toBe(true)
      expect((await handle.objects.listBackingKeys()).map((found) => found.id)).toContain(id)
      const backingKey = { id, number: 1, publicKey, materialId: randomUUID(), createdMs: 0 }
      await use({ ...keyWith([backingKey]), ...kind })
      await handle.objects.destroyBackingKey(id)
      expect(await handle.objects.provesBackingKey(material)).toBe(false)
    })

    async function use(key: Authorised<Key>): Promise<void> {
      const message = randomBytes(100)
      const row = keySpecRow(key.spec)
      const { publicKey: spki = Buffer.alloc(0) } = key.backingKeys[0] ?? {}
      if (key.usage === 'GENERATE_VERIFY_MAC') {
        for (const algorithm of row.macAlgorithms) {
          const mac = await handle.hsm.mac(key, { algorithm, message }, {})
          expect(mac).toHaveLength(HASH_BYTES[MAC_HASHES[algorithm]])
        }
        return
      }
      const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
      if (key.usage === 'SIGN_VERIFY') {
        for (const algorithm of row.signingAlgorithms) {
          const input = { message, isDigest: false }
          const signature = await handle.hsm.sign(key, { algorithm, ...input }, {})
          expect(verifiesSignature(publicKey, algorithm, input, signature)).toBe(true)
        }
      } else if (key.usage === 'ENCRYPT_DECRYPT') {
        for (const algorithm of ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const) {
          const oaepHash = algorithm === 'RSAES_OAEP_SHA_1' ? 'sha1' : 'sha256'
          const ciphertextBlob = publicEncrypt({ key: publicKey, oaepHash }, message)
          const input = { algorithm, ciphertextBlob }
          expect(await handle.hsm.decryptAsymmetric(key, input, {})).toEqual(message)
          const wrong = { algorithm, ciphertextBlob: Buffer.alloc(256, 1) }
          await expect(handle.hsm.decryptAsymmetric(key, wrong, {})).rejects.toMatchObject({
            name: 'InvalidCiphertextException',
          })
        }
      } else {
        const curve = curveOf(publicKey) ?? 'P-256'
        const peer = generateKeyPairSync('ec', { namedCurve: curve })
        const point = peerPoint(peer.publicKey.export({ type: 'spki', format: 'der' }), curve)
        expect((await handle.hsm.deriveSharedSecret(key, point, {})).length).toBeGreaterThan(31)
      }
    }
  })
}
