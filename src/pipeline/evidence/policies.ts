/**
 * Policies made ready to be asked, kept by their texts: the same text stands behind many keys and
 * is asked at every call.
 */

import type { Caller } from '../../model/caller.ts'
import type { NamedPolicy } from '../../model/identities/principal.ts'
import { compilePolicy, type Policy } from '../../policy/document.ts'
import type { Evidence } from '../../policy/evaluate.ts'
import type { PolicyKind } from '../../policy/statements.ts'

/** A policy and what has to be looked up before it is asked. */
export interface CompiledPolicy {
  readonly policy: Policy
  /** Whether it may ask for the aliases of the key. */
  readonly asksAliases: boolean
  /** Whether it may ask for the tags of the key. */
  readonly asksTags: boolean
}

/** What bounds and gives a principal's permissions. */
export interface PrincipalPolicies {
  readonly identityPolicies: readonly NamedPolicy[]
  /** A JSON document. */
  readonly boundary?: string
}

/** The policies of a caller itself, ready to be asked. */
export interface OwnPolicies
  extends Pick<Evidence, 'identityPolicies' | 'boundary' | 'sessionPolicies'> {
  /** All of them. */
  readonly all: readonly CompiledPolicy[]
}

/**
 * How many bytes of policies of a kind are held at least before one is let go, and at most twice as
 * many: thousands of usual policies, and some tens of the largest.
 */
const HELD_BYTES = 48 * 1024 * 1024
/** What a compiled policy takes, roughly, for each text in it: a name, an action, a value. */
const BYTES_A_TEXT = 512
/** And for each character, of which patterns are made. */
const BYTES_A_CHARACTER = 10

/** No policies at all. */
export const NO_POLICIES: OwnPolicies = { identityPolicies: [], sessionPolicies: [], all: [] }

/** Makes the policies of a caller ready, those of its session among them. */
export function ownPolicies(
  caller: Caller,
  { identityPolicies, boundary }: PrincipalPolicies,
): OwnPolicies {
  const named = identityPolicies.map(({ name, text }) => ({
    name,
    ...compiledPolicy(text, 'identity'),
  }))
  const bound = boundary === undefined ? [] : [compiledPolicy(boundary, 'boundary')]
  const session = (caller.sessionPolicies ?? []).map((text) => compiledPolicy(text, 'session'))
  const all = [...named, ...bound, ...session]
  if (all.length === 0) return NO_POLICIES
  return {
    identityPolicies: named,
    boundary: bound[0]?.policy,
    sessionPolicies: session.map(({ policy }) => policy),
    all,
  }
}

/**
 * A policy by its text, compiled or found compiled. A stored policy that is none, since only
 * something broken can have left it there, denies everything.
 */
export function compiledPolicy(text: string, kind: PolicyKind): CompiledPolicy {
  return KEPT[kind](text)
}

/** By their texts, and not by digests: those of keys are strings whose hashes are known. */
const KEPT: Readonly<Record<PolicyKind, (text: string) => CompiledPolicy>> = {
  key: bounded((text) => compiled(text, 'key')),
  identity: bounded((text) => compiled(text, 'identity')),
  trust: bounded((text) => compiled(text, 'trust')),
  session: bounded((text) => compiled(text, 'session')),
  boundary: bounded((text) => compiled(text, 'boundary')),
}

function compiled(text: string, kind: PolicyKind): CompiledPolicy {
  const lower = text.toLowerCase()
  // Escaped characters could hide a name.
  const mayAsk = (name: string) => lower.includes(name) || lower.includes('\\u')
  return {
    policy: readOrDeny(text, kind),
    asksAliases: mayAsk('kms:resourcealiases'),
    asksTags: mayAsk('aws:resourcetag'),
  }
}

function readOrDeny(text: string, kind: PolicyKind): Policy {
  try {
    return compilePolicy(text, kind)
  } catch {
    const principal = kind === 'key' || kind === 'trust' ? { Principal: '*' } : {}
    const resource = kind === 'trust' ? {} : { Resource: '*' }
    const statement = { Sid: 'Unreadable', Effect: 'Deny', Action: '*', ...resource, ...principal }
    return compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: [statement] }), kind)
  }
}

/** A policy that is kept, and roughly how many bytes it takes. */
interface Kept {
  readonly policy: CompiledPolicy
  readonly bytes: number
}

/** Bounded by what is kept, not by how many: in two generations, so that what is asked again stays. */
function bounded(make: (text: string) => CompiledPolicy): (text: string) => CompiledPolicy {
  let young = new Map<string, Kept>()
  let old = new Map<string, Kept>()
  let youngBytes = 0
  return (text) => {
    const known = young.get(text)
    if (known !== undefined) return known.policy
    const kept = old.get(text) ?? { policy: make(text), bytes: bytesOf(text) }
    young.set(text, kept)
    youngBytes += kept.bytes
    if (youngBytes >= HELD_BYTES) {
      old = young
      young = new Map()
      youngBytes = 0
    }
    return kept.policy
  }
}

function bytesOf(text: string): number {
  let quotes = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) quotes += 1
  return (quotes / 2) * BYTES_A_TEXT + text.length * BYTES_A_CHARACTER
}
