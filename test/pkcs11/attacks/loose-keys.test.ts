/**
 * The attacks bite: on keys that are made loose on purpose they succeed, one looseness at a time,
 * and on the same keys as keyslot makes them they do not.
 */

import pkcs11js from 'pkcs11js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ATTACKS } from '../../../src/pkcs11/attacks/attack.ts'
import { type Battle, openBattle } from '../../../src/pkcs11/attacks/battle.ts'
import type { Gain } from '../../../src/pkcs11/attacks/report.ts'
import type { Target } from '../../../src/pkcs11/attacks/target.ts'
import { targetOf } from '../../../src/pkcs11/attacks/targets.ts'
import {
  wrappingKeyTemplate,
  wrappingPublicKeyTemplate,
} from '../../../src/pkcs11/import/templates.ts'
import { readPublicKey } from '../../../src/pkcs11/kinds/public-keys.ts'
import { softhsm } from '../../../src/pkcs11/profiles/softhsm.ts'
import {
  backingKeyTemplate,
  type FixedAttribute,
  ulong,
} from '../../../src/pkcs11/token/templates.ts'
import { type InProcessToken, openHere } from '../in-process.ts'

let token: InProcessToken
let battle: Battle
beforeAll(async () => {
  token = await openHere()
  battle = openBattle(token.served)
})
afterAll(() => {
  battle?.close()
  token?.close()
})

/** No attribute of a key says that it may not be digested: see `hsm/README.md`. */
const DIGEST = 'C_DigestKey'
const NAME = { id: Buffer.alloc(16, 5), label: 'keyslot-attacked' }
const DERIVES = { name: 'loose', allowed: [pkcs11js.CKM_AES_CBC_ENCRYPT_DATA] }
const UNWRAPS = { name: 'loose', allowed: [pkcs11js.CKM_RSA_PKCS_OAEP] }

const { CKM_AES_CBC_ENCRYPT_DATA, CKM_AES_ECB_ENCRYPT_DATA, CKM_AES_CBC, CKM_AES_CMAC } = pkcs11js
const { CKM_AES_KEY_WRAP_PAD, CKM_RSA_PKCS, CKM_RSA_PKCS_OAEP, CKM_SHA256_RSA_PKCS } = pkcs11js

/** What is loose, and which attacks that lets succeed. */
interface Looseness {
  readonly loose: Readonly<Record<string, boolean>>
  /** What the token is told of mechanisms, unless it is what keyslot tells it. */
  readonly mechanisms?: readonly number[]
  readonly lets: Readonly<Record<string, Gain>>
}

const OPEN = { CKA_EXTRACTABLE: true, CKA_SENSITIVE: false }
const WRAPPABLE = { CKA_EXTRACTABLE: true, CKA_WRAP_WITH_TRUSTED: false }
const OF_SECRETS: readonly Looseness[] = [
  { loose: {}, lets: {} },
  { loose: OPEN, lets: { 'read a secret attribute': 'key out' } },
  {
    loose: WRAPPABLE,
    lets: {
      'C_WrapKey with a key of the attacker': 'key out',
      'wrap, then decrypt (Clulow)': 'key out',
      're-import in two roles': 'usage added',
    },
  },
  { loose: { CKA_MODIFIABLE: true }, lets: { C_SetAttributeValue: 'usage added' } },
  {
    loose: { CKA_COPYABLE: true, CKA_MODIFIABLE: true },
    lets: { C_SetAttributeValue: 'usage added', C_CopyObject: 'attribute loosened' },
  },
  {
    loose: {},
    mechanisms: [CKM_AES_CBC_ENCRYPT_DATA, CKM_AES_ECB_ENCRYPT_DATA],
    lets: {},
  },
  {
    loose: { CKA_ENCRYPT: true },
    mechanisms: [CKM_AES_CBC],
    lets: { C_EncryptInit: 'usage added' },
  },
  {
    loose: { CKA_DECRYPT: true },
    mechanisms: [CKM_AES_CBC],
    lets: { C_DecryptInit: 'usage added' },
  },
  { loose: { CKA_SIGN: true }, mechanisms: [CKM_AES_CMAC], lets: { C_SignInit: 'usage added' } },
  {
    loose: { CKA_VERIFY: true },
    mechanisms: [CKM_AES_CMAC],
    lets: { C_VerifyInit: 'usage added' },
  },
  {
    loose: { CKA_WRAP: true },
    mechanisms: [CKM_AES_KEY_WRAP_PAD],
    lets: { 'C_WrapKey with the key itself': 'usage added' },
  },
]
const OF_PAIRS: readonly Looseness[] = [
  { loose: {}, lets: {} },
  { loose: OPEN, lets: { 'read a secret attribute': 'key out' } },
  {
    loose: {},
    mechanisms: [CKM_RSA_PKCS, CKM_RSA_PKCS_OAEP],
    lets: { 'key conjuring by C_UnwrapKey': 'usage added' },
  },
  {
    loose: { CKA_SIGN: true },
    mechanisms: [CKM_SHA256_RSA_PKCS],
    lets: { C_SignInit: 'usage added' },
  },
  {
    loose: { CKA_DECRYPT: true },
    mechanisms: [CKM_RSA_PKCS],
    lets: { 'key conjuring by C_UnwrapKey': 'usage added', C_DecryptInit: 'usage added' },
  },
]

test.each(OF_SECRETS)('a secret with $loose, for $mechanisms', ({ lets, ...loose }) => {
  const template = loosened(backingKeyTemplate(NAME, 1, softhsm), loose)
  const handle = battle.session.generateKey(template)
  expect(gainsOn(told(targetOf(DERIVES, handle, template), loose))).toEqual(lets)
})

test.each(OF_PAIRS)('a pair with $loose, for $mechanisms', ({ lets, ...loose }) => {
  const template = loosened(wrappingKeyTemplate(NAME, 'unwraps', softhsm), loose)
  const pair = battle.session.generateKeyPair(
    pkcs11js.CKM_RSA_PKCS_KEY_PAIR_GEN,
    wrappingPublicKeyTemplate(2048),
    template,
  )
  const publicKey = readPublicKey(battle.session, pair.publicKey, 'RSA_2048')
  const target = targetOf(UNWRAPS, pair.privateKey, template, publicKey)
  expect(gainsOn(told(target, loose))).toEqual(lets)
})

function loosened(
  template: readonly FixedAttribute[],
  { loose, mechanisms }: Omit<Looseness, 'lets'>,
): readonly FixedAttribute[] {
  const allowed = mechanisms && Buffer.concat(mechanisms.map(ulong))
  return template.map(({ name, type, value }) => ({
    name,
    type,
    value: name === 'CKA_ALLOWED_MECHANISMS' ? (allowed ?? value) : (loose[name] ?? value),
  }))
}

/** As the attacks see it: without the uses that are too many. */
function told(target: Target, { loose }: Omit<Looseness, 'lets'>): Target {
  return { ...target, uses: target.uses.filter((use) => loose[use] !== true) }
}

/** The attacks that succeed, and what the first success gains. */
function gainsOn(target: Target): Readonly<Record<string, Gain>> {
  try {
    const gains = ATTACKS.flatMap(({ name, run }) => {
      const successes = [...run(battle.attacker, target)].filter((outcome) => 'gain' in outcome)
      const [first] = successes
      return first === undefined || name === DIGEST ? [] : [[name, first.gain] as const]
    })
    return Object.fromEntries(gains)
  } finally {
    battle.session.destroyObject(target.handle)
  }
}
