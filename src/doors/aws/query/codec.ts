/**
 * Requests and responses of the query protocol: parameters with dotted names in, XML out, both as
 * the contract has them. https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */

import { CONTRACT, type FieldContract, type MessageContract } from '../../../contract/contract.ts'
import { noteGiven } from '../../../contract/given.ts'
import type { PlainMessage } from '../../../contract/wire.ts'
import { fail } from '../../../model/failures.ts'
import type { RpcName, Service } from '../../../service.ts'
import type { HttpAnswer } from '../answer.ts'
import { zeroMessage } from '../codec.ts'
import type { Form } from './form.ts'
import { element, escaped, STS_NAMESPACE, textElement, xmlAnswer } from './xml.ts'

/**
 * Decodes a request.
 *
 * @throws KmsError SerializationException for values that are not of their fields' types.
 */
export function decodeQuery<N extends RpcName>(name: N, form: Form): Service[N]['request'] {
  return readMessage(CONTRACT[name].request, form, '') as Service[N]['request']
}

/** Encodes a response. */
export function encodeXml<N extends RpcName>(
  name: N,
  response: Service[N]['response'],
  requestId: string,
): HttpAnswer {
  const contract = CONTRACT[name].response
  const result =
    contract.fields.length > 0 ? element(`${name}Result`, membersOf(contract, response)) : ''
  const metadata = element('ResponseMetadata', textElement('RequestId', requestId))
  const root = `${name}Response`
  return xmlAnswer(200, `<${root} xmlns="${STS_NAMESPACE}">${result}${metadata}</${root}>\n`)
}

function readMessage(contract: MessageContract, form: Form, prefix: string): PlainMessage {
  const message = zeroMessage(contract)
  for (const field of contract.fields) {
    const at = prefix + field.awsName
    const value = field.repeated ? readList(field, form, at) : readValue(field, form, at)
    if (value === undefined) continue
    message[field.name] = value
    noteGiven(message, field.name, value)
  }
  return message
}

function readList(field: FieldContract, form: Form, at: string): unknown[] {
  const items: unknown[] = []
  for (let number = 1; isGiven(form, `${at}.member.${number}`); number++) {
    items.push(readValue(field, form, `${at}.member.${number}`))
  }
  return items
}

function readValue(field: FieldContract, form: Form, at: string): unknown {
  const { holds } = field
  if (holds.kind === 'message') {
    return isGiven(form, at) ? readMessage(holds.message, form, `${at}.`) : undefined
  }
  if (holds.kind === 'map') return readMap(form, at)
  const text = form.get(at)
  if (text === undefined) return undefined
  switch (holds.kind) {
    case 'bool':
      return text === 'true' || (text === 'false' ? false : unusable(at))
    case 'int32':
      return /^-?\d{1,9}$/.test(text) ? Number(text) : unusable(at)
    case 'bytes':
      return Buffer.from(text, 'base64')
    case 'timestamp': {
      const time = new Date(text)
      return Number.isNaN(time.getTime()) ? unusable(at) : time
    }
    default:
      return text
  }
}

function readMap(form: Form, at: string): ReadonlyMap<string, string> {
  const map = new Map<string, string>()
  for (let number = 1; isGiven(form, `${at}.entry.${number}`); number++) {
    const key = form.get(`${at}.entry.${number}.key`) ?? unusable(at)
    if (map.has(key)) unusable(at)
    map.set(key, form.get(`${at}.entry.${number}.value`) ?? '')
  }
  return map
}

/** Whether there is a parameter of this name, or one inside it. */
function isGiven(form: Form, at: string): boolean {
  if (form.has(at)) return true
  for (const name of form.keys()) if (name.startsWith(`${at}.`)) return true
  return false
}

function unusable(at: string): never {
  fail('SerializationException', `The value of '${at.slice(0, 128)}' is not usable.`)
}

function membersOf(contract: MessageContract, message: PlainMessage): string {
  return contract.fields
    .map((field) => {
      const value = message[field.name]
      if (value === undefined) return ''
      if (!field.repeated) return element(field.awsName, contentOf(field, value))
      const items = (value as readonly unknown[]).map((item) =>
        element('member', contentOf(field, item)),
      )
      return element(field.awsName, items.join(''))
    })
    .join('')
}

/** XML inside an element. */
function contentOf({ holds }: FieldContract, value: unknown): string {
  switch (holds.kind) {
    case 'message':
      return membersOf(holds.message, value as PlainMessage)
    case 'timestamp':
      return (value as Date).toISOString().replace(/\.\d{3}Z$/, 'Z')
    case 'bytes':
      return Buffer.from(value as Uint8Array).toString('base64')
    case 'map':
      return [...(value as ReadonlyMap<string, string>)]
        .map(([key, item]) =>
          element('entry', textElement('key', key) + textElement('value', item)),
        )
        .join('')
    default:
      return escaped(String(value))
  }
}
