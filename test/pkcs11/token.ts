/** A SoftHSM token in a temporary directory, and keys to use in it. */

import { randomBytes, randomUUID } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
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
  readonly settings: HsmSettings & { readonly pinFile: string }
  /** Holds the configuration, the PIN files, and `tokens`. */
  readonly directory: string
  /** Removes everything. */
  remove(): void
}

/** Makes a token with the label `keyslot test`. */
export async function makeToken(): Promise<TestToken> {
  const modulePath = findSoftHsm()
  if (modulePath === undefined) throw new Error('SoftHSM is not installed')
  template ??= makeTemplate(modulePath)
  const directory = mkdtempSync(join(tmpdir(), 'keyslot-token-'))
  cpSync(await template, directory, { recursive: true })
  return {
    settings: settingsIn(directory, modulePath),
    directory,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** Initialising takes a second and copying none: one token serves all tests of a file. */
let template: Promise<string> | undefined
afterAll(async () => {
  if (template !== undefined) rmSync(await template, { recursive: true, force: true })
})

async function makeTemplate(modulePath: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'keyslot-token-'))
  mkdirSync(join(directory, 'tokens'), { mode: 0o700 })
  for (const name of ['pin', 'so-pin']) {
    writeFileSync(join(directory, name), `${randomBytes(8).toString('hex')}\n`, { mode: 0o400 })
  }
  const settings = settingsIn(directory, modulePath)
  await initToken({ ...settings, soPinFile: join(directory, 'so-pin') })
  return directory
}

function settingsIn(directory: string, modulePath: string) {
  const configuration = join(directory, 'softhsm2.conf')
  writeFileSync(configuration, softhsmConfiguration(join(directory, 'tokens')))
  return {
    modulePath,
    tokenLabel: 'keyslot test',
    pinFile: join(directory, 'pin'),
    moduleEnvironment: softhsmEnvironment(configuration),
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
    suite: suiteOf(backingKey),
  })
  return key
}

/** The suite of a backing key for symmetric encryption. */
export function suiteOf({ suite }: BackingKey): CipherSuite {
  if (suite === undefined) throw new Error('a backing key without a suite')
  return suite
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
    backingKeys,
    // The tests of this room stand where the pipeline does.
  } as Key as Authorised<Key>
}
