/**
 * Loosening a key: each attribute that would, by C_SetAttributeValue and on a copy. keyslot itself
 * never calls the first, which can destroy the key that it changes: these keys are here for it.
 */

import pkcs11js, { type Handle } from 'pkcs11js'
import { ulong } from '../../token/templates.ts'
import { type Attacker, attribute } from '../attacker.ts'
import type { Gain, Outcome } from '../report.ts'
import { type Target, USES, type Use } from '../target.ts'

interface Loosening {
  readonly name: string
  readonly type: number
  readonly value: Buffer
  readonly gain: Gain
}

/** Attributes that guard, each with the value that no longer does. */
const GUARDS = {
  CKA_EXTRACTABLE: true,
  CKA_SENSITIVE: false,
  CKA_PRIVATE: false,
  CKA_MODIFIABLE: true,
  CKA_COPYABLE: true,
  CKA_TRUSTED: true,
  CKA_WRAP_WITH_TRUSTED: false,
  CKA_ALWAYS_SENSITIVE: false,
  CKA_NEVER_EXTRACTABLE: false,
  CKA_LOCAL: false,
  CKA_TOKEN: false,
} as const

/** What can be loosened on a key. */
function loosenings({ uses, isSecret }: Target, attacker: Attacker): readonly Loosening[] {
  const added = (Object.keys(USES) as Use[])
    .filter((use) => !uses.includes(use))
    .map((name) => loosening(name, USES[name], Buffer.of(1), 'usage added'))
  const guards = (Object.keys(GUARDS) as (keyof typeof GUARDS)[]).map((name) =>
    loosening(name, pkcs11js[name], Buffer.of(GUARDS[name] ? 1 : 0), 'attribute loosened'),
  )
  const { CKA_ALLOWED_MECHANISMS, CKA_KEY_TYPE, CKA_VALUE, CKA_ID } = pkcs11js
  const every = Buffer.concat(attacker.mechanisms.map(ulong))
  const of = (name: string, type: number, value: Buffer) =>
    loosening(name, type, value, 'attribute loosened')
  return [
    ...guards,
    ...added,
    of('CKA_ALLOWED_MECHANISMS (every one)', CKA_ALLOWED_MECHANISMS, every),
    of('CKA_ALLOWED_MECHANISMS (any)', CKA_ALLOWED_MECHANISMS, Buffer.alloc(0)),
    of('CKA_ID', CKA_ID, Buffer.alloc(16, 7)),
    of('CKA_VALUE', CKA_VALUE, Buffer.alloc(32, 7)),
    ...(isSecret ? [of('CKA_KEY_TYPE', CKA_KEY_TYPE, ulong(pkcs11js.CKK_GENERIC_SECRET))] : []),
  ]
}

/** Changes each attribute of the key itself. */
export function* settings(attacker: Attacker, target: Target): Iterable<Outcome> {
  const { handle } = target
  for (const { name, type, value, gain } of loosenings(target, attacker)) {
    const before = attacker.read(handle, type)
    if (before?.equals(value)) continue
    const answer = attacker.ask('C_SetAttributeValue', (pkcs11, session) =>
      pkcs11.C_SetAttributeValue(session, handle, [attribute(type, value)]),
    )
    if ('refused' in answer) {
      yield answer
      continue
    }
    const after = attacker.read(handle, type)
    if (after !== undefined && before?.equals(after)) {
      yield { refused: 'taken without effect' }
      continue
    }
    yield { gain, how: `C_SetAttributeValue ${name}` }
    // The attacks after this one are to find the key as it was.
    if (before !== undefined) {
      attacker.ask('C_SetAttributeValue', (pkcs11, session) =>
        pkcs11.C_SetAttributeValue(session, handle, [attribute(type, before)]),
      )
    }
  }
}

/** Makes a copy in which each attribute is changed, and one that outlives the key. */
export function* copies(attacker: Attacker, target: Target): Iterable<Outcome> {
  const passing = attribute(pkcs11js.CKA_TOKEN, false)
  for (const { name, type, value, gain } of loosenings(target, attacker)) {
    const before = attacker.read(target.handle, type)
    if (before?.equals(value)) continue
    const template = [attribute(type, value), ...(type === passing.type ? [] : [passing])]
    yield copied(attacker, target.handle, template, (copy) => {
      const after = attacker.read(copy, type)
      const isSame = after !== undefined && before?.equals(after)
      return isSame ? undefined : { gain, how: `C_CopyObject with ${name}` }
    })
  }
  const other = attribute(pkcs11js.CKA_ID, Buffer.alloc(16, 9))
  yield copied(attacker, target.handle, [other], () => ({
    gain: 'attribute loosened',
    how: 'C_CopyObject to an object that outlives the key',
  }))
}

function copied(
  attacker: Attacker,
  handle: Handle,
  template: ReturnType<typeof attribute>[],
  gained: (copy: Handle) => Outcome | undefined,
): Outcome {
  const answer = attacker.make((pkcs11, session) => pkcs11.C_CopyObject(session, handle, template))
  if ('refused' in answer) return answer
  try {
    return gained(answer.value) ?? { refused: 'taken without effect' }
  } finally {
    attacker.destroy(answer.value)
  }
}

function loosening(name: string, type: number, value: Buffer, gain: Gain): Loosening {
  return { name, type, value, gain }
}
