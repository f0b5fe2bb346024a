/**
 * The contract against AWS's own models of KMS and STS, as botocore ships them: every member of every
 * operation that keyslot has, with its shape and its limits. Where keyslot differs, the difference
 * is listed here with its reason.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import {
  CONTRACT,
  type FieldContract,
  type MessageContract,
} from '../../../src/contract/contract.ts'
import { TOOLS } from './clients/tools.ts'

interface Shape {
  readonly type: string
  readonly members?: Readonly<Record<string, { readonly shape: string }>>
  readonly required?: readonly string[]
  readonly member?: { readonly shape: string }
  readonly min?: number
  readonly max?: number
  readonly pattern?: string
  readonly enum?: readonly string[]
  readonly sensitive?: boolean
}

interface Model {
  readonly operations: Readonly<
    Record<string, { readonly input?: { shape: string }; readonly output?: { shape: string } }>
  >
  readonly shapes: Readonly<Record<string, Shape>>
}

/** What differs, and why. */
const EXCEPTIONS: readonly (readonly [difference: RegExp, reason: string])[] = [
  [/^SimulatePolicy\./, 'an operation of keyslot’s own, which AWS has elsewhere'],
  [
    /\.(SourceArn|\w+ServicePrincipal): is ours alone$/,
    'newer than botocore 1.43; so says AWS’s SDK',
  ],
  [/\.DryRunModifiers/, 'newer than botocore 1.43; AWS’s SDK for JavaScript has it'],
  [
    /\.TagValue: is not required/,
    'absent and empty are one in the contract, and an empty value is a value',
  ],
  [/^GenerateRandom\.request\.NumberOfBytes: is required$/, 'AWS’s reference: it has no default'],
  [/\.(PolicyArns|ProvidedContexts)[.:]/, 'refused, whatever they say'],
  [/\.RoleArn: pattern is undefined,/, 'what is no ARN of a role is not one that may be assumed'],
  [/^AssumeRole\.request\.Policy: max /, 'AWS’s reference: 2048 characters'],
  [/\.Tags\.(Key|Value): pattern is undefined,/, 'all characters are taken in tags'],
  [/\.Tags\.Value: is not required$/, 'absent and empty are one in the contract'],
  [
    /^AssumeRoleWithWebIdentity\.response\.SourceIdentity: is AWS's alone$/,
    'no claim of a token says whom the session is for',
  ],
  [/\.Recipient\.AttestationDocument: /, 'enclaves are refused, whatever their document says'],
  [/\.XksKeyConfiguration: is AWS's alone$/, 'no key of keyslot’s is in an external key store'],
]

describe.each([
  { of: 'KMS', service: 'KeyManagementService', path: 'kms/2014-11-01' },
  { of: 'STS', service: 'SecurityTokenService', path: 'sts/2011-06-15' },
])('the contract has what AWS’s model of $of has', ({ service, path }) => {
  const model = readModel(path)
  const rpcs = Object.values(CONTRACT).filter((rpc) => rpc.service.endsWith(`.${service}`))
  test.skipIf(!model).each(rpcs)('$name', ({ name, request, response }) => {
    if (!model) return
    const { input, output } = model.operations[name] ?? {}
    const differences = [
      ...compare(model, request, input?.shape, `${name}.request`),
      ...compare(model, response, output?.shape, `${name}.response`),
    ]
    const unexplained = differences.filter(
      (each) => !EXCEPTIONS.some(([known]) => known.test(each)),
    )
    expect(unexplained).toEqual([])
  })
})

/** Lines of `path: what differs`. */
function compare(
  { shapes }: Model,
  contract: MessageContract,
  shapeName: string | undefined,
  path: string,
): string[] {
  const { members = {}, required = [] } = (shapeName ? shapes[shapeName] : undefined) ?? {}
  const ours = new Map(contract.fields.map((field) => [field.awsName, field]))
  const names = new Set([...ours.keys(), ...Object.keys(members)])
  return [...names].flatMap((name) => {
    const at = `${path}.${name}`
    const field = ours.get(name)
    const theirs = shapes[members[name]?.shape ?? '']
    if (!field) return [`${at}: is AWS's alone`]
    if (!theirs) return [`${at}: is ours alone`]
    const isRequest = path.includes('.request')
    const differences = compareShapes(field, theirs, shapes, at)
    if (isRequest && (field.rule.required ?? false) !== required.includes(name)) {
      differences.push(`${at}: ${field.rule.required ? 'is' : 'is not'} required`)
    }
    const { holds } = field
    const inner = theirs.type === 'list' ? theirs.member?.shape : members[name]?.shape
    if (holds.kind !== 'message') return differences
    return [...differences, ...compare({ shapes, operations: {} }, holds.message, inner, at)]
  })
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'string',
  blob: 'bytes',
  boolean: 'bool',
  integer: 'int32',
  timestamp: 'timestamp',
  map: 'map',
  structure: 'message',
}

function compareShapes(
  { holds, repeated, optional, rule }: FieldContract,
  shape: Shape,
  shapes: Model['shapes'],
  at: string,
): string[] {
  const isRequest = at.includes('.request')
  const item = shape.type === 'list' ? shapes[shape.member?.shape ?? ''] : shape
  const kind = item?.enum ? 'enum' : KINDS[item?.type ?? '']
  const differences: string[] = []
  const differs = (what: string, our: unknown, their: unknown) => {
    if (our !== their) differences.push(`${at}: ${what} is ${our}, AWS's ${their}`)
  }
  differs('repeated', repeated, shape.type === 'list')
  differs('kind', holds.kind, kind)
  if (holds.kind === 'enum') {
    const { names } = holds.enum
    // AWS gains values; none that it has is missing here.
    differs('without', `${(item?.enum ?? []).filter((each) => !names.includes(each))}`, '')
  }
  // What we answer keeps to limits by itself.
  if (!isRequest) return differences
  // What is required and empty is missing, here.
  const least = rule.min ?? 0
  if (least > 0 || !rule.required || optional) differs('min', least, shape.min ?? 0)
  differs('max', rule.max, shape.max)
  differs('pattern', rule.pattern?.source, shape.pattern && `^(?:${shape.pattern})$`)
  if (shape.type === 'list' && item) {
    differs('min of items', rule.itemMin ?? 0, item.min ?? 0)
    differs('max of items', rule.itemMax, item.max)
  }
  return differences
}

function readModel(service: string): Model | undefined {
  const script = 'import botocore, os; print(os.path.dirname(botocore.__file__))'
  for (const python of [join(TOOLS, 'bin/python'), 'python3']) {
    try {
      const found = execFileSync(python, ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] })
      const path = join(found.toString().trim(), `data/${service}/service-2.json`)
      if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8'))
      return JSON.parse(gunzipSync(readFileSync(`${path}.gz`)).toString())
    } catch {
      // Another one may have it.
    }
  }
  console.warn('SKIPPED: AWS’s models: npm run aws-clients fetches botocore')
  return undefined
}
