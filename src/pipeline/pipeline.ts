/**
 * The one way that every call takes, through whichever door: authenticate, check the request, find
 * what it names, authorise, fitness, intent, run, audit, answer.
 */

import { CONTRACT } from '../contract/contract.ts'
import { validated } from '../contract/validate.ts'
import type { Place } from '../model/arn.ts'
import type { Authorised } from '../model/authorised.ts'
import type { Caller } from '../model/caller.ts'
import { fail, KmsError } from '../model/failures.ts'
import { keyAt } from '../model/key.ts'
import type {
  AnyOperation,
  Conditions,
  Need,
  OperationName,
  Operations,
  Services,
} from '../operations/operation.ts'
import type { CallLimits } from '../pkcs11/hsm.ts'
import { type AppendAudit, type AuditSubject, type Outcome, record } from './audit.ts'
import { deny, isAllowed, type Question, refuseGrantTokens } from './authorise.ts'
import type { Call, Pipeline } from './call.ts'
import { checkFitness } from './fitness.ts'
import { meetPrincipal } from './identities/meet.ts'
import type { Identities } from './identities.ts'
import { resolveAlias, resolveKey } from './resolve.ts'

/** What the pipeline is made of. */
export interface PipelineParts {
  readonly operations: { readonly [N in OperationName]: AnyOperation<N> }
  readonly services: Services
  readonly identities: Identities
  readonly region: string
  /** The installation's first account, whose root is keyslot's operator. */
  readonly operator: string
  readonly audit: AppendAudit
  /** Told of every call that has ended: `ok` or AWS's name of the failure, and how long it took. */
  readonly onEnd: (name: OperationName, door: string, outcome: string, seconds: number) => void
  /** Told of every failure that is not the caller's fault, with its cause. */
  readonly onFault: (name: OperationName, requestId: string, error: KmsError) => void
}

/** What the caller is given when everything has been asked. */
interface Asked<N extends OperationName = OperationName> {
  readonly caller: Caller
  readonly request: Operations[N]['request']
  readonly home: Place
  readonly resources: string[]
}

/** The same for one of its needs. */
interface AskedOfNeed extends Asked {
  readonly permission: string
  readonly conditions: Conditions
}

/** What a permission is asked on. */
type Resource = Question['resource']

/** Makes the pipeline. */
export function createPipeline(parts: PipelineParts): Pipeline {
  return {
    async call(name, call) {
      const beganMs = performance.now()
      let outcome = 'ok'
      try {
        return await run(parts, name, call)
      } catch (cause) {
        const error = KmsError.from(cause)
        outcome = error.name
        if (error.fault === 'service') parts.onFault(name, call.requestId, error)
        throw error
      } finally {
        parts.onEnd(name, call.door, outcome, (performance.now() - beganMs) / 1000)
      }
    },
  }
}

async function run<N extends OperationName>(
  parts: PipelineParts,
  name: N,
  call: Call<N>,
): Promise<Operations[N]['response']> {
  const operation: AnyOperation<N> = parts.operations[name]
  const subject: AuditSubject = { resources: [] }
  const timeMs = parts.services.clock()
  const { changes } = operation
  const note = (outcome: Outcome, error?: KmsError) =>
    record(parts.audit, { name, call, changes, timeMs, subject, outcome, error })
  let response: Operations[N]['response']
  try {
    // A token in the request has to be read before it is known who calls.
    const early = operation.identifies && checked(operation, call)
    const caller =
      operation.identifies && early
        ? await parts.identities.webIdentity(operation.identifies(early))
        : await call.authenticate()
    subject.caller = caller
    const request = early ?? checked(operation, call)
    subject.request = request
    const home = { account: caller.account, region: parts.region }
    const { resources } = subject
    const given = await grant(parts, operation, { caller, request, home, resources })
    if ('dryRun' in request && request.dryRun === true) {
      operation.rehearse?.({ ...given, request } as never)
      fail(
        'DryRunOperationException',
        'The request would have succeeded, but the DryRun option is set.',
      )
    }
    if (changes) await note('attempted')
    checkStillWanted(call.limits)
    const { limits } = call
    // The table has forgotten which needs belong to which operation; `grant` has met them all.
    response = await operation.run({
      ...parts.services,
      ...given,
      request,
      caller,
      home,
      limits,
    } as never)
  } catch (cause) {
    const error = KmsError.from(cause)
    await note('failed', error)
    throw error
  }
  await note('succeeded')
  return response
}

function checked<N extends OperationName>(operation: AnyOperation<N>, call: Call<N>) {
  const { name } = operation
  const decoded = call.request()
  const request = Object.hasOwn(CONTRACT, name)
    ? (validated(CONTRACT[name as keyof typeof CONTRACT].request, decoded) as typeof decoded)
    : decoded
  operation.check?.(request)
  return request
}

/** Meets every need of an operation: finds the resource, authorises it and looks at its fitness. */
async function grant<N extends OperationName>(
  parts: PipelineParts,
  operation: AnyOperation<N>,
  asked: Asked<N>,
): Promise<Readonly<Record<string, unknown>>> {
  const given: Record<string, unknown> = {}
  refuseGrantTokens(asked.request)
  for (const [needName, need] of Object.entries(operation.needs)) {
    const permission = need.permission ?? `kms:${operation.name}`
    const conditions = operation.conditions?.(asked.request, needName) ?? {}
    const resource = await meet(parts, need, { ...asked, permission, conditions })
    if (resource !== undefined) given[needName] = resource
  }
  if (Object.keys(given).length === 0) throw new Error(`${operation.name} asked no permission`)
  return given
}

async function meet(
  parts: PipelineParts,
  need: Need<never>,
  { caller, request, permission, conditions, home, resources }: AskedOfNeed,
): Promise<Authorised<object> | undefined> {
  const allows = (resource: Resource, grantable = false): boolean => {
    resources.push(resource.arn)
    return isAllowed({ caller, permission, resource, grantable, conditions })
  }
  const { store } = parts.services
  if (need.kind === 'account') {
    if (!need.find(request as never)) return undefined
    const account = { ...home, arn: '*' }
    return allows(account) ? authorised(account) : deny(caller, permission, '*')
  }
  if (need.kind === 'alias') {
    const alias = await resolveAlias(store, need.find(request as never), home)
    return allows(alias) ? authorised(alias) : deny(caller, permission, alias.arn)
  }
  if (need.kind !== 'key') {
    const refuse = (resource: Resource): never => deny(caller, permission, resource.arn)
    const ask = async (resource: Resource): Promise<void> => {
      if (!allows(resource)) refuse(resource)
    }
    const principalParts = { ...parts, store }
    return meetPrincipal(principalParts, need, { caller, request, conditions, ask, deny: refuse })
  }
  const name = need.find(request as never)
  if (name === undefined) return undefined
  const named = await resolveKey(store, name, home)
  const key = named.key && keyAt(named.key, parts.services.clock())
  if (!allows(key ?? named, need.grantable)) {
    return named.concealed ? named.missing() : deny(caller, permission, named.arn)
  }
  if (key === undefined) return named.missing()
  checkFitness(key, need)
  return authorised(key)
}

/** The only place that vouches for an authorisation. */
function authorised<T extends Resource>(resource: T): Authorised<T> {
  return resource as Authorised<T>
}

function checkStillWanted({ deadlineMs, signal }: CallLimits): void {
  if (signal?.aborted) fail('RequestAbortedException', 'The call was cancelled.')
  if (deadlineMs !== undefined && Date.now() >= deadlineMs) {
    fail('RequestAbortedException', 'The deadline passed.', { grpc: 'DEADLINE_EXCEEDED' })
  }
}
