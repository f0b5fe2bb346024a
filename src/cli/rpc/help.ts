/** The words of the help, from the contract. */

import type { FieldContract, MessageContract, RpcContract } from '../../contract/contract.ts'
import type { RpcName } from '../../service.ts'
import { kebabCase } from './parameters.ts'

/** Examples that show more than the arguments which are required. */
const EXAMPLES: Partial<Readonly<Record<RpcName, string>>> = {
  CreateKey: 'create-key --description "orders" --tags TagKey=team,TagValue=shop',
  Encrypt:
    'encrypt --key-id alias/dev --plaintext fileb://plan.txt \\\n' +
    '    --encryption-context purpose=demo --output text --query CiphertextBlob \\\n' +
    '    | base64 --decode > plan.enc',
  Decrypt:
    'decrypt --ciphertext-blob fileb://plan.enc --encryption-context purpose=demo \\\n' +
    '    --output text --query Plaintext | base64 --decode',
  ReEncrypt: 're-encrypt --ciphertext-blob fileb://plan.enc --destination-key-id alias/new',
  GenerateDataKey: 'generate-data-key --key-id alias/dev --key-spec AES_256',
  GenerateDataKeyWithoutPlaintext:
    'generate-data-key-without-plaintext --key-id alias/dev --key-spec AES_256',
}

/** Values for examples, by the names of fields. */
const SAMPLES: Readonly<Record<string, string>> = {
  aliasName: 'alias/dev',
  description: '"orders"',
  keyId: 'alias/dev',
  numberOfBytes: '32',
  pendingWindowInDays: '7',
  rotationPeriodInDays: '365',
  tagKeys: 'team',
  tags: 'TagKey=team,TagValue=shop',
  targetKeyId: '1234abcd-12ab-34cd-56ef-1234567890ab',
}

/** What people write for a value. */
const PLACEHOLDERS: Readonly<Record<FieldContract['holds']['kind'], string>> = {
  string: 'text',
  bytes: 'blob',
  bool: 'truth',
  int32: 'number',
  timestamp: 'time',
  map: 'key=value,…',
  enum: 'name',
  message: 'Member=value',
}

/** What limits count. */
const UNITS: Partial<Readonly<Record<FieldContract['holds']['kind'], string>>> = {
  string: ' characters',
  bytes: ' bytes',
}

/** How values are written, once for all operations. */
export const VALUES_HELP = `Values are written as for the AWS CLI:
  text        as it stands, or file://<path>
  blob        base64, or fileb://<path> for the bytes of a file, or fileb:///dev/stdin.
              Others on this machine can see the arguments of a command: a plaintext belongs
              into a file or on stdin
  list        words with blanks between them, or JSON
  key=value   with commas between them, or JSON: --encryption-context a=b,c=d`

/** The placeholder of a field's value, for the usage of its option. */
export function placeholder({ holds, repeated }: FieldContract): string {
  return repeated ? `<${PLACEHOLDERS[holds.kind]}...>` : `<${PLACEHOLDERS[holds.kind]}>`
}

/** What the help says of a field: the words of the contract, its limits and its names. */
export function fieldHelp(field: FieldContract, request: MessageContract): string {
  const remarks = [
    ...(field.rule.required ? ['required'] : []),
    ...limits(field),
    ...(field.holds.kind === 'enum' ? [field.holds.enum.names.join(', ')] : []),
    ...(field.holds.kind === 'message'
      ? [`members: ${field.holds.message.fields.map(({ awsName }) => awsName).join(', ')}`]
      : []),
  ]
  const doc = inOptionNames(field.doc, request)
  return remarks.length === 0 ? doc : `${doc} (${remarks.join('; ')})`
}

/** A command line that works, but for the names in it. */
export function example({ name, request }: RpcContract): string {
  const required = request.fields
    .filter(({ rule }) => rule.required)
    .map((field) => `--${kebabCase(field.awsName)} ${sample(field)}`)
  return `keyslot ${EXAMPLES[name] ?? [kebabCase(name), ...required].join(' ')}`
}

function sample({ name, holds }: FieldContract): string {
  return SAMPLES[name] ?? (holds.kind === 'bytes' ? 'fileb://file' : PLACEHOLDERS[holds.kind])
}

/** The limits that the words do not name already. */
function limits({ doc, rule, holds, repeated }: FieldContract): string[] {
  const { min = 0, max } = rule
  if (max === undefined || doc.includes(String(max))) return []
  const unit = repeated ? ' items' : (UNITS[holds.kind] ?? '')
  return [min > 0 ? `${min} to ${max}${unit}` : `up to ${max}${unit}`]
}

/** The contract speaks of fields as `key_spec`; on the command line that is `--key-spec`. */
function inOptionNames(doc: string, { fields }: MessageContract): string {
  return doc.replaceAll(/`([a-z_]+)`/g, (whole, snake: string) => {
    const name = snake.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    const field = fields.find((each) => each.name === name)
    return field ? `--${kebabCase(field.awsName)}` : whole
  })
}
