/** A SoftHSM token in a temporary directory, and keys to use in it. */

import { randomBytes, randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Authorised } from '../../src/model/authorised.ts'
import type { BackingKey, CipherSuite, Key } from '../../src/model/key.ts'
import type { HsmObjects } from '../../src/pkcs11/hsm.ts'
import { initToken } from '../../src/pkcs11/init-token.ts'
import {
  findSoftHsm,
  softhsmConfiguration,
  softhsmEnvironment,
} from '../../src/pkcs11/profiles/softhsm.ts'
import type { HsmSettings } from '../../src/pkcs11/settings.ts'

const ACCOUNT = '111122223333'
const REGION = 'eu-central-1'

/** A token for tests. */
export interface TestToken {
  readonly settings: HsmSettings
  /** Holds the configuration, the PIN files, and `tokens`. */
  readonly directory: string
  /** Removes everything. */
  remove(): void
}

/** Makes a token with the label `keyslot test`. */
export async function makeToken(): Promise<TestToken> {
  const modulePath = findSoftHsm()
  if (modulePath === undefined) throw new Error('SoftHSM is not installed')
  const directory = mkdtempSync(join(tmpdir(), 'keyslot-token-'))
  const at = (name: string) => join(directory, name)
  mkdirSync(at('tokens'), { mode: 0o700 })
  writeFileSync(at('softhsm2.conf'), softhsmConfiguration(at('tokens')))
  for (const name of ['pin', 'so-pin']) {
    writeFileSync(at(name), `${randomBytes(8).toString('hex')}\n`)
    chmodSync(at(name), 0o400)
  }
  const shared = {
    modulePath,
    tokenLabel: 'keyslot test',
    pinFile: at('pin'),
    moduleEnvironment: softhsmEnvironment(at('softhsm2.conf')),
  }
  await initToken({ ...shared, soPinFile: at('so-pin') })
  return {
    settings: shared,
    directory,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** Makes a backing key in the token and the key around it, as the store would hold it. */
export async function makeKey(
  objects: HsmObjects,
  { suite }: { readonly suite?: CipherSuite } = {},
): Promise<Authorised<Key>> {
  const backingKey: BackingKey = {
    id: randomBytes(16).toString('hex'),
    number: 1,
    suite: suite ?? (await objects.suite()),
    materialId: randomBytes(32).toString('hex'),
    createdMs: 0,
  }
  const key = keyWith([backingKey])
  await objects.generateBackingKey({
    id: backingKey.id,
    label: `keyslot ${key.keyId} 1`,
    suite: backingKey.suite,
  })
  return key
}

/** A key with these backing keys, the last one current. */
export function keyWith(backingKeys: readonly BackingKey[], keyId: string = randomUUID()) {
  return {
    keyId,
    region: REGION,
    account: ACCOUNT,
    arn: `arn:aws:kms:${REGION}:${ACCOUNT}:key/${keyId}`,
    description: '',
    spec: 'SYMMETRIC_DEFAULT',
    usage: 'ENCRYPT_DECRYPT',
    origin: 'AWS_KMS',
    manager: 'CUSTOMER',
    state: 'Enabled',
    createdMs: 0,
    rotationPeriodInDays: 365,
    backingKeys,
    // The tests of this room stand where the pipeline does.
  } as Key as Authorised<Key>
}
