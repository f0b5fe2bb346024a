/** The protocols of AWS that this door speaks: JSON 1.1 for KMS, and the query protocol for STS. */

import { CONTRACT } from '../../contract/contract.ts'
import { fail, type KmsError } from '../../model/failures.ts'
import type { RpcName, Service } from '../../service.ts'
import { type HttpAnswer, JSON_TYPE } from './answer.ts'
import type { ServiceName } from './authenticate.ts'
import { decodeRequest, encodeResponse } from './codec.ts'
import { errorAnswer } from './errors.ts'
import { whyNotOffered } from './not-offered.ts'
import { decodeQuery, encodeXml } from './query/codec.ts'
import { xmlErrorAnswer } from './query/errors.ts'
import { type Form, readForm } from './query/form.ts'
import { type SignedRequest, single } from './signature/request.ts'

/** A call that a request asks for, and how it is read and answered. */
export interface Asked<N extends RpcName = RpcName> {
  readonly name: N
  readonly service: ServiceName
  /** @throws KmsError SerializationException for what is no such request. */
  decode(): Service[N]['request']
  encode(response: Service[N]['response']): HttpAnswer
}

/** A protocol. */
export interface Protocol {
  /**
   * Says what a request asks for.
   *
   * @throws KmsError UnknownOperationException, UnsupportedOperationException for what only AWS
   *   does, or SerializationException for a body that does not even say so much.
   */
  asked(request: SignedRequest & { readonly body: Buffer }, requestId: string): Asked
  /** The answer to a call that failed. */
  refuse(error: KmsError, requestId: string): HttpAnswer
}

const TARGET = /^TrentService\.(\w{1,64})$/
const JSON_CONTENT = /^application\/x-amz-json-1\.1 *(?:;|$)/i
const FORM_CONTENT = /^application\/x-www-form-urlencoded *(?:;|$)/i
const KMS = 'keyslot.v1.KeyManagementService'
const STS = 'keyslot.v1.SecurityTokenService'
const STS_VERSION = '2011-06-15'

/** The protocol of a request; JSON for one that is of neither, since it has to be told so. */
export function protocolOf({ headers }: Pick<SignedRequest, 'headers'>): Protocol {
  return FORM_CONTENT.test(single(headers, 'content-type') ?? '') ? queryProtocol : jsonProtocol
}

/** @throws KmsError for a request that can be no call, before its body is read. */
export function checkHead({ method, target, headers }: Omit<SignedRequest, 'body'>): void {
  if (method !== 'POST' || target !== '/') unknownOperation()
  if (headers.has('content-encoding')) {
    fail('SerializationException', 'The body of the request must not be compressed.')
  }
  if (protocolOf({ headers }) === jsonProtocol) jsonOperation(headers)
}

const jsonProtocol: Protocol = {
  asked({ headers, body }) {
    const name = jsonOperation(headers)
    return {
      name,
      service: 'kms',
      decode: () => decodeRequest(name, body),
      encode: (response) => ({
        status: 200,
        type: JSON_TYPE,
        body: encodeResponse(name, response),
      }),
    }
  },
  refuse: errorAnswer,
}

const queryProtocol: Protocol = {
  asked({ body }, requestId) {
    const form = readForm(body)
    const name = queryOperation(form)
    return {
      name,
      service: 'sts',
      decode: () => decodeQuery(name, form),
      encode: (response) => encodeXml(name, response, requestId),
    }
  },
  refuse: xmlErrorAnswer,
}

function jsonOperation(headers: SignedRequest['headers']): RpcName {
  const [, name = ''] = TARGET.exec(single(headers, 'x-amz-target') ?? '') ?? []
  const isJson = JSON_CONTENT.test(single(headers, 'content-type') ?? '')
  if (!isJson) return unknownOperation()
  if (isOf(KMS, name)) return name
  const why = whyNotOffered(name)
  if (why === undefined) return unknownOperation()
  return fail('UnsupportedOperationException', `keyslot does not offer ${name}: ${why}.`)
}

function queryOperation(form: Form): RpcName {
  const name = form.get('Action') ?? ''
  return form.get('Version') === STS_VERSION && isOf(STS, name) ? name : unknownOperation()
}

function isOf(service: string, name: string): name is RpcName {
  return Object.hasOwn(CONTRACT, name) && CONTRACT[name as RpcName].service === service
}

function unknownOperation(): never {
  fail('UnknownOperationException', 'The action or operation requested is not recognized.')
}
