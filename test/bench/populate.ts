/**
 * Fills an installation with keys, faster than through its door: there every new key is found and
 * proved again, which a token full of keys takes its time for.
 * `node populate.ts <home> <number>` with SOFTHSM2_CONF set; answers the key ids as JSON.
 */

import { join } from 'node:path'
import { loadConfig } from '../../src/config.ts'
import { createLifecycle } from '../../src/lifecycle/lifecycle.ts'
import type { HsmObjects } from '../../src/pkcs11/hsm.ts'
import { findToken, loadModule, logIn, readPin } from '../../src/pkcs11/token/module.ts'
import { TokenSession } from '../../src/pkcs11/token/session.ts'
import { backingKeyTemplate } from '../../src/pkcs11/token/templates.ts'
import { defaultKeyPolicy } from '../../src/policy/default-policy.ts'
import { openStore } from '../../src/store/database.ts'

const [home, number] = process.argv.slice(2)
if (home === undefined) throw new Error('say where the installation is')

const config = loadConfig({ flags: { dev: true, home }, environment: {}, cwd: home })
const module = loadModule(config.hsm, () => {})
const token = findToken(module, config.hsm.tokenLabel)
await logIn(module, token, () => readPin({ file: join(home, 'hsm/pin') }))
const session = TokenSession.open(module.pkcs11, token.slot.handle, module.profile)

function refuse(): never {
  throw new Error('keys are only made here')
}

const objects: HsmObjects = {
  suite: async () => 1,
  lacks: refuse,
  publicKeyOf: refuse,
  async generateBackingKey({ id, label }) {
    session.generateKey(
      backingKeyTemplate({ id: Buffer.from(id, 'hex'), label }, 1, module.profile),
    )
    return undefined
  },
  provesBackingKey: refuse,
  destroyBackingKey: refuse,
  listBackingKeys: refuse,
  createCanary: refuse,
  makeWrappingKey: refuse,
  destroyWrappingKey: refuse,
  listWrappingKeys: refuse,
  checkMaterial: refuse,
  importBackingKey: refuse,
}

const store = await openStore({ path: config.database })
const lifecycle = createLifecycle({ store, objects, clock: Date.now })
const policy = { text: defaultKeyPolicy(config.place.account), principalIds: new Map() }
const keyIds: string[] = []
for (let made = 0; made < Number(number); made++) {
  const key = await lifecycle.createKey({
    place: config.place,
    description: 'bench',
    spec: 'SYMMETRIC_DEFAULT',
    usage: 'ENCRYPT_DECRYPT',
    origin: 'AWS_KMS',
    manager: 'CUSTOMER',
    policy,
    tags: [],
  })
  keyIds.push(key.keyId)
}
await store.close()
process.stdout.write(JSON.stringify(keyIds), () => process.exit(0))
