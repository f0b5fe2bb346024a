/** A failure as AWS's JSON protocol carries it: a status, and the name of the exception. */

import { FAILURES, type KmsError } from '../../model/failures.ts'
import { type HttpAnswer, JSON_TYPE } from './answer.ts'

/** The answer to a call that failed. */
export function errorAnswer({ name, message }: KmsError): HttpAnswer {
  // A message may quote half a surrogate pair of what the caller sent.
  const text = message.toWellFormed()
  return {
    status: FAILURES[name].http,
    type: JSON_TYPE,
    body: Buffer.from(JSON.stringify({ __type: name, message: text })),
  }
}
