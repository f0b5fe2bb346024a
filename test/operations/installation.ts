/**
 * The operations over a real token and store, called by whomever a test needs: roots, users,
 * sessions of roles and services of several accounts, without a door in between.
 */

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect } from 'vitest'
import { CONTRACT } from '../../src/contract/contract.ts'
import { decodeMessage, encodeMessage } from '../../src/contract/wire.ts'
import { createLifecycle } from '../../src/lifecycle/lifecycle.ts'
import { rootArn } from '../../src/model/arn.ts'
import type { Caller } from '../../src/model/caller.ts'
import {
  newPrincipalId,
  type Principal,
  type PrincipalKind,
  principalArn,
  sessionArn,
} from '../../src/model/identities/principal.ts'
import type { Authority } from '../../src/operations/authority.ts'
import { OPERATIONS } from '../../src/operations/table.ts'
import { createAuthority } from '../../src/pipeline/authorise.ts'
import type { Call, Pipeline } from '../../src/pipeline/call.ts'
import { openSealer } from '../../src/pipeline/identities/own-key.ts'
import { createIdentities } from '../../src/pipeline/identities.ts'
import { createPipeline } from '../../src/pipeline/pipeline.ts'
import type { RpcName, Service } from '../../src/service.ts'
import type { Store } from '../../src/store/store.ts'
import { makePair } from '../lifecycle/fixture.ts'
import { place } from '../lifecycle/pair.ts'

export const ACCOUNT = place.account
export const OTHER_ACCOUNT = '444455556666'
export const REGION = place.region

/** An audit record, as far as tests look into it. */
interface Recorded {
  readonly eventName: string
  readonly outcome: string
  readonly resources: readonly { readonly ARN: string }[]
  readonly authorisation: readonly Readonly<Record<string, unknown>>[]
}

interface Installation {
  readonly store: Store
  /** Of the database. */
  readonly path: string
  readonly pipeline: Pipeline
  readonly authority: Authority
  readonly audit: Recorded[]
  nowMs: number
  close(): Promise<void>
}

let installation: Installation | undefined

/** Makes an installation of two accounts for the tests of the calling file. */
export function useInstallation(): void {
  beforeAll(async () => {
    installation = await open()
  })
  afterAll(() => installation?.close())
}

/** That of this file. */
export function here(): Installation {
  if (!installation) throw new Error('useInstallation() comes first')
  return installation
}

async function open(): Promise<Installation> {
  const state = { nowMs: Date.UTC(2026, 0, 2, 3, 4, 5) }
  const clock = () => state.nowMs
  const { pair, path } = await makePair({}, clock)
  const { store, hsm } = pair
  const services = { store, hsm: hsm.hsm, lifecycle: createLifecycle(pair.services), clock }
  const sealer = await openSealer(services, REGION)
  for (const account of [ACCOUNT, OTHER_ACCOUNT]) {
    await store.identities.accounts.insert({ account, name: '', createdMs: 0 })
  }
  const identities = createIdentities({ store, sealer, region: place.region, clock })
  const authority = createAuthority({ store, identities, region: REGION, clock })
  const audit: Recorded[] = []
  const pipeline = createPipeline({
    operations: OPERATIONS,
    services: { ...services, sealer, authority },
    identities,
    operator: ACCOUNT,
    region: REGION,
    audit: async (line) => {
      audit.push(JSON.parse(line))
    },
    onEnd: () => {},
    onFault: (_name, _requestId, { cause }) => console.error(cause),
  })
  return Object.assign(state, {
    store,
    path,
    pipeline,
    authority,
    audit,
    close: () => pair.close(),
  })
}

/** What a call may have beside its request. */
type CallPart = Partial<Pick<Call<RpcName>, 'sourceAddress' | 'secureTransport'>>

/** Calls an operation as somebody. */
export function callAs<N extends RpcName>(
  caller: Caller,
  name: N,
  request: Partial<Service[N]['request']> = {},
  part: CallPart = {},
): Promise<Service[N]['response']> {
  const contract = CONTRACT[name].request
  return here().pipeline.call(name, {
    door: 'grpc',
    requestId: randomUUID(),
    authenticate: () => caller,
    request: () =>
      decodeMessage(contract, encodeMessage(contract, request)) as Service[N]['request'],
    limits: {},
    ...part,
  })
}

/** Expects that somebody may. */
export async function expectAllowed<N extends RpcName>(
  ...call: Parameters<typeof callAs<N>>
): Promise<Service[N]['response']> {
  return callAs(...call)
}

/** Expects that somebody may not, and is told so. */
export async function expectDenied<N extends RpcName>(
  ...call: Parameters<typeof callAs<N>>
): Promise<void> {
  await expect(callAs(...call)).rejects.toMatchObject({ name: 'AccessDeniedException' })
}

/** Expects a call to fail by AWS's name. */
export async function expectFailureAs<N extends RpcName>(
  failure: string,
  ...call: Parameters<typeof callAs<N>>
): Promise<void> {
  await expect(callAs(...call)).rejects.toMatchObject({ name: failure })
}

/** The root of an account. */
export function rootOf(account = ACCOUNT): Caller {
  return { arn: rootArn(account), account, kind: 'root', principalId: account }
}

/** A service that acts for an account. */
export function serviceFor(name: string, account = ACCOUNT, sourceArn?: string): Caller {
  return { arn: name, account, kind: 'service', principalId: name, sourceArn }
}

interface PrincipalPart {
  readonly account?: string
  readonly path?: string
  /** Statements of its only identity policy. */
  readonly statements?: readonly object[]
  readonly boundary?: readonly object[]
  readonly tags?: Readonly<Record<string, string>>
}

async function newPrincipal(
  kind: PrincipalKind,
  name: string,
  part: PrincipalPart,
): Promise<Principal> {
  const { account = ACCOUNT, path = '/', statements, boundary, tags = {} } = part
  const principal: Principal = {
    principalId: newPrincipalId(kind),
    account,
    kind,
    name,
    path,
    arn: principalArn(kind, { account, path, name }),
    description: '',
    tags: new Map(Object.entries(tags)),
    policies: statements ? [{ name: 'own', text: policyText(statements) }] : [],
    boundary: boundary && policyText(boundary),
    createdMs: here().nowMs,
  }
  await here().store.identities.principals.insert(principal, 1000)
  return principal
}

/** Makes a user and answers it as a caller. */
export async function newUser(name: string, part: PrincipalPart = {}): Promise<Caller> {
  const { arn, account, principalId, tags } = await newPrincipal('user', name, part)
  return { arn, account, kind: 'user', principalId, tags }
}

/** Makes a role and answers a session of it as a caller. */
export async function newSession(
  role: string,
  session: string,
  part: PrincipalPart & { readonly sessionPolicies?: readonly (readonly object[])[] } = {},
): Promise<Caller & { readonly roleArn: string }> {
  const { arn, account, principalId, tags } = await newPrincipal('role', role, part)
  return {
    arn: sessionArn(account, role, session),
    account,
    kind: 'role',
    principalId: `${principalId}:${session}`,
    roleArn: arn,
    tags,
    sessionPolicies: part.sessionPolicies?.map(policyText),
  }
}

/** Removes a user or role, its policies first. */
export async function removePrincipal({ principalId = '' }: Caller): Promise<void> {
  const { principals } = here().store.identities
  const [id = ''] = principalId.split(':')
  await principals.change(id, (now) => ({ ...now, policies: [], boundary: undefined }))
  expect(await principals.remove(id)).toBe('removed')
}

/** A policy of these statements. */
export function policyText(statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

/** A statement of a key policy. */
export function keyStatement(
  principal: unknown,
  action: string | readonly string[],
  part: object = {},
): object {
  return { Effect: 'Allow', Principal: principal, Action: action, Resource: '*', ...part }
}

/** A statement of an identity policy. */
export function ownStatement(action: string | readonly string[], part: object = {}): object {
  return { Effect: 'Allow', Action: action, Resource: '*', ...part }
}

/** Lets identity policies count. */
export const ROOT_STATEMENT = keyStatement({ AWS: rootArn(ACCOUNT) }, 'kms:*')

/** Makes a key of the first account; the default key policy unless statements are given. */
export async function newKey(
  statements?: readonly object[],
  part: Partial<Service['CreateKey']['request']> = {},
): Promise<{ readonly keyId: string; readonly arn: string }> {
  const { keyMetadata } = await callAs(rootOf(), 'CreateKey', {
    policy: statements && policyText(statements),
    bypassPolicyLockoutSafetyCheck: statements !== undefined,
    ...part,
  })
  if (!keyMetadata) throw new Error('CreateKey answered no metadata')
  return { keyId: keyMetadata.keyId, arn: keyMetadata.arn }
}

/** The last audit record of an operation. */
export function lastRecord(eventName: string): Recorded | undefined {
  return here().audit.findLast((each) => each.eventName === eventName)
}
