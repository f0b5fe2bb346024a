/**
 * The audit record of a call: who asked for what, through which door, and how it ended. Fields
 * have CloudTrail's names. Bytes and fields that the contract marks secret are left out; the
 * encryption context is not secret.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */

import { CONTRACT, type MessageContract } from '../contract/contract.ts'
import type { Caller } from '../model/caller.ts'
import { KmsError } from '../model/failures.ts'
import type { Question } from '../operations/authority.ts'
import type { OperationName } from '../operations/operation.ts'
import type { Decision } from '../policy/evaluate.ts'
import type { Call } from './call.ts'

/** Writes a line durably; the promise resolves when it is on disk. */
export type AppendAudit = (line: string) => Promise<void>

/** How a call stands. */
export type Outcome = 'attempted' | 'succeeded' | 'failed'

/** What the pipeline learns about a call on its way. */
export interface AuditSubject {
  caller?: Caller
  request?: object
  readonly decisions: { readonly question: Question; readonly decision: Decision }[]
}

/**
 * Records how a call stands.
 *
 * @throws KmsError KMSInternalException if the record cannot be written: then nothing of the
 *   answer may leave.
 */
export async function record(
  append: AppendAudit,
  entry: {
    readonly name: OperationName
    readonly call: Call<OperationName>
    readonly changes: boolean
    readonly timeMs: number
    readonly subject: AuditSubject
    readonly outcome: Outcome
    readonly error?: KmsError
  },
): Promise<void> {
  const { name, call, subject, error } = entry
  const line = JSON.stringify({
    eventTime: spelled(entry.timeMs),
    requestID: call.requestId,
    eventName: name,
    outcome: entry.outcome,
    readOnly: !entry.changes,
    door: call.door,
    userIdentity: subject.caller && {
      type: subject.caller.kind,
      arn: subject.caller.arn,
      accountId: subject.caller.account,
      principalId: subject.caller.principalId,
      sourceIdentity: subject.caller.sourceIdentity,
    },
    sourceIPAddress: call.sourceAddress,
    userAgent: call.userAgent,
    requestParameters: subject.request && requestParameters(name, subject.request),
    resources: subject.decisions.map(({ question }) => ({ ARN: question.resource.arn })),
    authorisation: subject.decisions.map(authorisation),
    errorCode: error?.name,
    errorMessage: error?.message,
  })
  try {
    await append(line)
  } catch (cause) {
    throw new KmsError('KMSInternalException', 'The audit record could not be written.', {
      cause,
      grpc: 'UNAVAILABLE',
    })
  }
}

let lastMs = Number.NaN
let lastSpelled = ''

/** A moment as ISO 8601 has it; many calls have the same. */
function spelled(ms: number): string {
  if (ms !== lastMs) {
    lastSpelled = new Date(ms).toISOString()
    lastMs = ms
  }
  return lastSpelled
}

/** What was asked, and what has decided it: also where it was refused. */
function authorisation({ question, decision }: AuditSubject['decisions'][number]) {
  const { permission, resource } = question
  return { permission, resource: resource.arn, decision: decision.reason, ...decision.by }
}

function requestParameters(name: OperationName, request: object): object {
  if (!Object.hasOwn(CONTRACT, name)) return request
  return visible(CONTRACT[name as keyof typeof CONTRACT].request, request)
}

function visible(contract: MessageContract, message: object): object {
  const shown: Record<string, unknown> = {}
  for (const { name, holds, secret, repeated } of contract.fields) {
    const value: unknown = Reflect.get(message, name)
    if (secret || value === undefined || value === '') continue
    if (holds.kind === 'map') {
      const map = value as ReadonlyMap<string, string>
      if (map.size > 0) shown[name] = Object.fromEntries(map)
    } else if (holds.kind === 'message' && repeated) {
      shown[name] = (value as object[]).map((item) => visible(holds.message, item))
    } else if (holds.kind === 'message') {
      shown[name] = visible(holds.message, value as object)
    } else shown[name] = value
  }
  return shown
}
