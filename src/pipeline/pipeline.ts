/**
 * The one way that every call takes, through whichever door: authenticate, check the request, find
 * what it names, authorise, fitness, intent, run, audit, answer.
 */

import { CONTRACT } from '../contract/contract.ts'
import { validated } from '../contract/validate.ts'
import { fail, KmsError } from '../model/failures.ts'
import type { AnyOperation, OperationName, Operations, Services } from '../operations/operation.ts'
import type { CallLimits } from '../pkcs11/hsm.ts'
import { type AppendAudit, type AuditSubject, type Outcome, record } from './audit.ts'
import type { Call, Pipeline } from './call.ts'
import type { Identities } from './identities.ts'
import { noteUses } from './last-uses.ts'
import { type Met, meetNeeds } from './needs.ts'

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
  const subject: AuditSubject = { decisions: [] }
  const timeMs = parts.services.clock()
  const { changes } = operation
  const note = (outcome: Outcome, error?: KmsError) =>
    record(parts.audit, { name, call, changes, timeMs, subject, outcome, error })
  let given: Met['given']
  let response: Operations[N]['response']
  try {
    // What is known from here on is as new as the call.
    parts.services.store.refresh()
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
    const met = await meetNeeds(parts, operation, {
      name,
      caller,
      request,
      home,
      call: factsOf(call),
      isSeed: call.door === 'seed',
      decided: (question, decision) => subject.decisions.push({ question, decision }),
    })
    given = met.given
    if ('dryRun' in request && request.dryRun === true) {
      await operation.rehearse?.({ ...given, request, store: parts.services.store } as never)
      fail(
        'DryRunOperationException',
        'The request would have succeeded, but the DryRun option is set.',
      )
    }
    if (changes) await note('attempted')
    checkStillWanted(call.limits)
    const { limits } = call
    // The table has forgotten which needs belong to which operation; they have all been met.
    response = await operation.run({
      ...parts.services,
      ...given,
      request,
      caller,
      home,
      limits,
      conditions: met.conditions,
    } as never)
  } catch (cause) {
    const error = KmsError.from(cause)
    await note('failed', error)
    throw error
  }
  await note('succeeded')
  const { requestId } = call
  noteUses(parts.services.store, operation, given, { usedMs: timeMs, requestId })
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

function factsOf({ sourceAddress, door, secureTransport, userAgent }: Call<OperationName>) {
  return { sourceAddress, secureTransport: secureTransport ?? door === 'grpc', userAgent }
}

function checkStillWanted({ deadlineMs, signal }: CallLimits): void {
  if (signal?.aborted) fail('RequestAbortedException', 'The call was cancelled.')
  if (deadlineMs !== undefined && Date.now() >= deadlineMs) {
    fail('RequestAbortedException', 'The deadline passed.', { grpc: 'DEADLINE_EXCEEDED' })
  }
}
