/** The attacker's own keys: session objects with every usage that a wrapping key can have. */

import { randomBytes } from 'node:crypto'
import pkcs11js, { type Attribute, type Handle } from 'pkcs11js'
import { type Answer, type Attacker, attribute } from './attacker.ts'

/** A key of the attacker's, or a pair of which one half wraps and the other unwraps. */
export interface AttackerKey {
  readonly wraps: Handle
  readonly unwraps: Handle
}

const PUBLIC_EXPONENT = Buffer.of(1, 0, 1)
const MODULUS_BITS = 2048

const known = new WeakMap<Attacker, readonly AttackerKey[]>()

/** The keys that the token lets the attacker have, made once. */
export function keysOf(attacker: Attacker): readonly AttackerKey[] {
  const made =
    known.get(attacker) ?? [aesKey(attacker), des3Key(attacker), rsaPair(attacker)].flat()
  known.set(attacker, made)
  return made
}

/** A secret key that is the attacker's to wrap and read; `undefined` where there is none. */
export function payloadOf(attacker: Attacker): Handle | undefined {
  return keysOf(attacker)[0]?.wraps
}

/** Everything that a secret key may be allowed, in the open. */
export function freeTemplate(keyType: number): Attribute[] {
  return [
    attribute(pkcs11js.CKA_CLASS, pkcs11js.CKO_SECRET_KEY),
    attribute(pkcs11js.CKA_KEY_TYPE, keyType),
    attribute(pkcs11js.CKA_TOKEN, false),
    attribute(pkcs11js.CKA_PRIVATE, true),
    attribute(pkcs11js.CKA_SENSITIVE, false),
    attribute(pkcs11js.CKA_EXTRACTABLE, true),
    ...[
      pkcs11js.CKA_ENCRYPT,
      pkcs11js.CKA_DECRYPT,
      pkcs11js.CKA_WRAP,
      pkcs11js.CKA_UNWRAP,
      pkcs11js.CKA_DERIVE,
    ].map((use) => attribute(use, true)),
  ]
}

/** The ways to come by a wrapping key that the token trusts. */
export function trustedKeys(attacker: Attacker): readonly Answer<AttackerKey>[] {
  const trusted = attribute(pkcs11js.CKA_TRUSTED, true)
  const template = [...freeTemplate(pkcs11js.CKK_AES), trusted]
  const both = (answer: Answer<Handle>): Answer<AttackerKey> =>
    'refused' in answer ? answer : { value: { wraps: answer.value, unwraps: answer.value } }
  const own = payloadOf(attacker)
  return [
    both(generated(attacker, pkcs11js.CKM_AES_KEY_GEN, [...template, length()])),
    both(
      attacker.make((pkcs11, session) =>
        pkcs11.C_CreateObject(session, [
          ...template,
          attribute(pkcs11js.CKA_VALUE, randomBytes(32)),
        ]),
      ),
    ),
    generatedPair(attacker, [trusted]),
    ...(own === undefined
      ? []
      : [
          both(
            attacker.make((pkcs11, session) => {
              pkcs11.C_SetAttributeValue(session, own, [trusted])
              return own
            }),
          ),
          both(attacker.make((pkcs11, session) => pkcs11.C_CopyObject(session, own, [trusted]))),
        ]),
  ]
}

function aesKey(attacker: Attacker): readonly AttackerKey[] {
  const template = freeTemplate(pkcs11js.CKK_AES)
  const created = attacker.make((pkcs11, session) =>
    pkcs11.C_CreateObject(session, [...template, attribute(pkcs11js.CKA_VALUE, randomBytes(32))]),
  )
  const answer =
    'refused' in created
      ? generated(attacker, pkcs11js.CKM_AES_KEY_GEN, [...template, length()])
      : created
  return 'refused' in answer ? [] : [{ wraps: answer.value, unwraps: answer.value }]
}

function des3Key(attacker: Attacker): readonly AttackerKey[] {
  const template = freeTemplate(pkcs11js.CKK_DES3)
  const answer = generated(attacker, pkcs11js.CKM_DES3_KEY_GEN, template)
  return 'refused' in answer ? [] : [{ wraps: answer.value, unwraps: answer.value }]
}

function rsaPair(attacker: Attacker): readonly AttackerKey[] {
  const answer = generatedPair(attacker, [])
  return 'refused' in answer ? [] : [answer.value]
}

function generated(attacker: Attacker, mechanism: number, template: Attribute[]): Answer<Handle> {
  return attacker.make((pkcs11, session) => pkcs11.C_GenerateKey(session, { mechanism }, template))
}

function generatedPair(attacker: Attacker, more: readonly Attribute[]): Answer<AttackerKey> {
  const mechanism = { mechanism: pkcs11js.CKM_RSA_PKCS_KEY_PAIR_GEN }
  return attacker.make((pkcs11, session) => {
    const { publicKey, privateKey } = pkcs11.C_GenerateKeyPair(
      session,
      mechanism,
      [
        attribute(pkcs11js.CKA_TOKEN, false),
        attribute(pkcs11js.CKA_MODULUS_BITS, MODULUS_BITS),
        attribute(pkcs11js.CKA_PUBLIC_EXPONENT, PUBLIC_EXPONENT),
        attribute(pkcs11js.CKA_WRAP, true),
        attribute(pkcs11js.CKA_ENCRYPT, true),
        ...more,
      ],
      [
        attribute(pkcs11js.CKA_TOKEN, false),
        attribute(pkcs11js.CKA_PRIVATE, true),
        attribute(pkcs11js.CKA_UNWRAP, true),
        attribute(pkcs11js.CKA_DECRYPT, true),
      ],
    )
    return { wraps: publicKey, unwraps: privateKey }
  })
}

function length(): Attribute {
  return attribute(pkcs11js.CKA_VALUE_LEN, 32)
}
