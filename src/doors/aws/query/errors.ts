/** A failure as the query protocol carries it, under the names that STS has for it. */

import { FAILURES, type FailureName, type KmsError } from '../../../model/failures.ts'
import type { HttpAnswer } from '../answer.ts'
import { element, STS_NAMESPACE, textElement, xmlAnswer } from './xml.ts'

/** STS's name, and the status if it is not the table's. */
type StsFailure = readonly [code: string, status?: number]

/**
 * Where STS says it otherwise than by leaving out `Exception`.
 * https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
 */
const CODES: Partial<Record<FailureName, StsFailure>> = {
  AccessDeniedException: ['AccessDenied', 403],
  ExpiredTokenException: ['ExpiredTokenException'],
  InvalidSignatureException: ['SignatureDoesNotMatch', 403],
  KMSInternalException: ['InternalFailure'],
  MissingAuthenticationTokenException: ['MissingAuthenticationToken', 403],
  RequestEntityTooLargeException: ['RequestEntityTooLarge'],
  SerializationException: ['MalformedInput'],
  UnknownOperationException: ['InvalidAction', 400],
  UnrecognizedClientException: ['InvalidClientTokenId', 403],
  ValidationException: ['ValidationError'],
}

/** The answer to a call that failed. */
export function xmlErrorAnswer({ name, message, fault }: KmsError, requestId: string): HttpAnswer {
  const [code, status = FAILURES[name].http] = CODES[name] ?? [name.replace(/Exception$/, '')]
  const type = textElement('Type', fault === 'caller' ? 'Sender' : 'Receiver')
  const error = type + textElement('Code', code) + textElement('Message', message)
  const content = element('Error', error) + textElement('RequestId', requestId)
  return xmlAnswer(status, `<ErrorResponse xmlns="${STS_NAMESPACE}">${content}</ErrorResponse>\n`)
}
