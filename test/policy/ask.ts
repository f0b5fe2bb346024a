/** Asks the evaluator in few words. */

import type { Caller } from '../../src/model/caller.ts'
import type { Grant } from '../../src/model/grant.ts'
import { compilePolicy } from '../../src/policy/document.ts'
import { type Decision, evaluate } from '../../src/policy/evaluate.ts'
import type { PolicyRequest } from '../../src/policy/request.ts'
import { A, callers, KEY } from './world.ts'

/** A statement as an object. */
export type Statement = Readonly<Record<string, unknown>>

/** The callers of the world by name. */
export const caller = {
  root: callerAt(0),
  rootOfB: callerAt(1),
  alice: callerAt(2),
  bob: callerAt(3),
  aliceOfB: callerAt(4),
  one: callerAt(5),
  two: callerAt(6),
  opsOfB: callerAt(7),
  service: callerAt(8),
  keyslot: callerAt(9),
  serviceForB: callerAt(10),
}

function callerAt(index: number): Caller {
  const found = callers[index]
  if (!found) throw new Error(`no caller ${index}`)
  return found
}

/** A policy as text, of version 2012-10-17. */
export function policyText(...statements: readonly Statement[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

/** An allowance of everything, but for what is said. */
export const allow = (rest: Statement = {}): Statement => ({
  Effect: 'Allow',
  Action: '*',
  Resource: '*',
  ...rest,
})

/** A denial of everything, but for what is said. */
export const deny = (rest: Statement = {}): Statement => ({ ...allow(rest), Effect: 'Deny' })

/** What speaks for or against, as statements. */
export interface Said {
  readonly key?: readonly Statement[]
  readonly trust?: readonly Statement[]
  readonly identity?: readonly Statement[]
  readonly boundary?: readonly Statement[]
  readonly session?: readonly Statement[]
  readonly grants?: readonly Grant[]
  readonly ids?: ReadonlyMap<string, string>
}

/** Decides: alice encrypts under the key of her account, but for what is said. */
export function decide(said: Said, asked: Partial<PolicyRequest> = {}): Decision {
  const { key, trust, identity, boundary, session, grants = [], ids = new Map() } = said
  const own = key ?? trust
  const kind = key ? 'key' : 'trust'
  return evaluate(
    {
      caller: caller.alice,
      action: 'kms:Encrypt',
      resource: { arn: KEY, account: A },
      conditions: new Map(),
      grantable: true,
      ...asked,
    },
    {
      resourcePolicy: own && { policy: compilePolicy(policyText(...own), kind), principalIds: ids },
      identityPolicies: identity
        ? [{ name: 'own', policy: compilePolicy(policyText(...identity), 'identity') }]
        : [],
      boundary: boundary && compilePolicy(policyText(...boundary), 'boundary'),
      sessionPolicies: session ? [compilePolicy(policyText(...session), 'session')] : [],
      grants,
    },
  )
}

/** Whether it is allowed. */
export function allows(said: Said, asked: Partial<PolicyRequest> = {}): boolean {
  return decide(said, asked).allowed
}

/** A grant on the key: to alice, of Encrypt, but for what is said. */
export function grantOf(rest: Partial<Grant> = {}): Grant {
  return {
    grantId: 'f'.repeat(64),
    keyId: '1234abcd-12ab-34cd-56ef-1234567890ab',
    name: '',
    grantee: { arn: caller.alice.arn, principalId: caller.alice.principalId },
    issuingAccount: caller.root.arn,
    operations: ['Encrypt'],
    createdMs: 0,
    ...rest,
  }
}
