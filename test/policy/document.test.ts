/** What policies may say, what they may not, and what the refusal says. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KmsError } from '../../src/model/failures.ts'
import { defaultKeyPolicy } from '../../src/policy/default-policy.ts'
import { compilePolicy, POLICY_SIZE_MAX, principalsNamed } from '../../src/policy/document.ts'
import type { PolicyKind } from '../../src/policy/statements.ts'
import { casesOf } from './cases.ts'
import { A, ALICE, APP, B, PROVIDER, SERVICE, SESSION } from './world.ts'

const key = { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }
const own = { Effect: 'Allow', Action: 'kms:*', Resource: '*' }
const trust = { Effect: 'Allow', Principal: { AWS: ALICE }, Action: 'sts:AssumeRole' }
const OF: Record<PolicyKind, object> = { key, identity: own, trust, session: own, boundary: own }
const KINDS = Object.keys(OF) as PolicyKind[]

/** What is wrong with a policy, if something is. */
function wrong(text: string, kind: PolicyKind): string | undefined {
  try {
    compilePolicy(text, kind)
    return undefined
  } catch (error) {
    if (!(error instanceof KmsError)) throw error
    return `${error.name}: ${error.message}`
  }
}

/** The same for a policy of one statement, which differs from a sound one. */
function wrongWith(rest: object, kind: PolicyKind = 'key'): string | undefined {
  const text = JSON.stringify({ Version: '2012-10-17', Statement: { ...OF[kind], ...rest } })
  return wrong(text, kind)?.replace('MalformedPolicyDocumentException: ', '')
}

describe('what is accepted', () => {
  test.each(KINDS)('the least %s policy', (kind) => {
    expect(wrong(JSON.stringify({ Statement: OF[kind] }), kind)).toBeUndefined()
    expect(wrong(JSON.stringify({ Statement: [OF[kind], OF[kind]] }), kind)).toBeUndefined()
  })
  test.each([
    [{ Sid: 'Allow use of the key: Ünïcode, too' }, 'key'],
    [{ Sid: '' }, 'identity'],
    [{ Sid: 'Abc123' }, 'identity'],
    [{ Action: undefined, NotAction: 'kms:*' }, 'key'],
    [{ Resource: undefined }, 'key'],
    [{ Action: undefined }, 'key'],
    [{ Resource: undefined, NotResource: ['*'] }, 'identity'],
    [{ Principal: undefined, NotPrincipal: { AWS: A }, Effect: 'Deny' }, 'key'],
    [{ Principal: { AWS: [A, ALICE, APP, SESSION, '*', 'AIDAABCDEFGHIJKLMNOP'] } }, 'key'],
    [{ Principal: { AWS: A, Service: [SERVICE] } }, 'key'],
    [{ Principal: { Federated: PROVIDER } }, 'trust'],
    [{ Principal: { AWS: `arn:aws:iam::${A}:user/division_abc/sub/alice.b@c,d=e+f-g_h` } }, 'key'],
    [{ Principal: { AWS: `arn:aws:sts::${A}:federated-user/alice` } }, 'key'],
    [{ Action: ['kms:Encrypt', 'execute-api:Invoke', '*:*', '*'] }, 'identity'],
    [{ Resource: ['arn:aws:iam::1:x', 'arn:aws:s3:::b', 'arn:a:k:eu:1:\n'] }, 'identity'],
    [{ Condition: {} }, 'key'],
    [{ Condition: { Bool: { 'kms:GrantIsForAWSResource': true } } }, 'key'],
    [{ Condition: { NumericEquals: { 'kms:RotationPeriodInDays': [90, '91'] } } }, 'key'],
    [{ Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': 'a' } } }, 'key'],
    [{ Condition: { 'ForAllValues:StringEquals': { 'aws:RequestTag/a': 'a' } } }, 'identity'],
    [{ Condition: { 'ForAllValues:StringEquals': { 'x:aws:RequestTag/a': 'a' } } }, 'key'],
    [{ Condition: { 'ForAllValues:StringEquals': { 'x:kms:EncryptionContext:a': 'a' } } }, 'key'],
    [{ Condition: { 'ForAnyValue:StringEquals': { 'aws:RequestTag/a': 'a' } } }, 'key'],
  ] as [object, PolicyKind][])('%j in a %s policy', (rest, kind) => {
    expect(wrongWith(rest, kind)).toBeUndefined()
  })
  test('an Id where a resource has the policy, and nowhere else', () => {
    for (const kind of KINDS) {
      const text = JSON.stringify({ Id: 'an id', Statement: OF[kind] })
      if (kind === 'key' || kind === 'trust') expect(wrong(text, kind)).toBeUndefined()
      else expect(wrong(text, kind)).toContain('may have no Id where no Principal may be')
    }
  })
})

describe('what is refused, with its place', () => {
  const S = 'Statement'
  test.each([
    ['', 'line 1, column 1'],
    ['{', 'line 1, column 2'],
    ['{"Version": "2012-10-17",}', 'no well-formed string at line 1, column 26'],
    ['{"a": "\\x"}', 'no well-formed string'],
    ['{"a": "\t"}', 'no well-formed string'],
    ['{"a"\n "b"}', 'no ":" at line 2, column 2'],
    ['{"a": 1 "b"}', 'no "," or "}"'],
    ['{"a": [1 2]}', 'no "," or "]"'],
    ['{"a": tru}', 'no value'],
    ['{"a": nul}', 'no value'],
    ['{"a": fals}', 'no value'],
    ['{"a": 01}', 'no "," or "}"'],
    ['{} {}', 'there is more text after the document'],
    ['{"Statement": [],\n "Statement": []}', 'a second member "Statement" at line 2, column 2'],
    ['{"\\u0053tatement": [], "Statement": []}', 'a second member "Statement"'],
    ['{"__proto__": 1}', 'The policy: has the unknown member "__proto__"'],
    ['['.repeat(20), 'nested deeper than 16 levels'],
    ['[]', 'The policy: is not an object'],
    ['null', 'The policy: is not an object'],
    ['{}', 'The policy: has no Statement'],
    ['{"Statement": []}', 'Statement: is empty'],
    ['{"Statement": "x"}', 'Statement: is not an object'],
    ['{"Statement": [{}, 1]}', 'Statement[0]: has no Effect'],
    ['{"Version": 2012, "Statement": []}', 'Version: is not a string'],
    ['{"Version": "2012-10-18", "Statement": []}', 'Version: "2012-10-18" is neither'],
    ['{"Id": 1, "Statement": []}', 'Id: is not a string'],
    ['{"Statement": [], "statement": []}', 'has the unknown member "statement"'],
    ['{"Sid": "\u0100"}', 'characters that policies may not have'],
    ['{"Sid": "\u0000"}', 'characters that policies may not have'],
  ])('%j: %s', (text, message) => {
    expect(wrong(text, 'key')).toContain('MalformedPolicyDocumentException: ')
    expect(wrong(text, 'key')).toContain(message)
  })
  test.each([
    [{ Effect: 'allow' }, 'key', `${S}.Effect: "allow" is neither`],
    [{ Effect: undefined }, 'key', `${S}: has no Effect`],
    [{ Effect: ['Allow'] }, 'key', `${S}.Effect: is not a string`],
    [{ Extra: 1 }, 'key', `${S}: has the unknown member "Extra"`],
    [{ Sid: 1 }, 'key', `${S}.Sid: is not a string`],
    [{ Sid: 'with space' }, 'identity', `${S}.Sid: may have letters and digits only`],
    [{ Sid: 'with-dash' }, 'trust', `${S}.Sid: may have letters`],
    [{ Principal: undefined }, 'key', `${S}: has no Principal`],
    [{ Principal: undefined }, 'trust', `${S}: has no Principal`],
    [{ Principal: '*' }, 'identity', `${S}: may have no Principal`],
    [{ NotPrincipal: '*' }, 'boundary', `${S}: may have no NotPrincipal`],
    [{ Principal: '*' }, 'session', `${S}: may have no Principal`],
    [{ NotPrincipal: '*' }, 'key', `${S}: has both Principal and NotPrincipal`],
    [
      { Principal: undefined, NotPrincipal: '*' },
      'key',
      `${S}.NotPrincipal: may stand with "Deny"`,
    ],
    [{ Principal: undefined, NotPrincipal: '*', Effect: 'Deny' }, 'trust', 'no place in a trust'],
    [{ Principal: 'x' }, 'key', `${S}.Principal: is neither "*" nor an object`],
    [{ Principal: {} }, 'key', `${S}.Principal: is empty`],
    [{ Principal: ['*'] }, 'key', `${S}.Principal: is not an object`],
    [{ Principal: { AWS: [] } }, 'key', `${S}.Principal.AWS: is empty`],
    [{ Principal: { AWS: 1 } }, 'key', `${S}.Principal.AWS: has a value that is not a string`],
    [{ Principal: { CanonicalUser: 'x' } }, 'key', 'unknown member "CanonicalUser"'],
    [{ Principal: { Federated: PROVIDER } }, 'key', 'unknown member "Federated"'],
    [{ Principal: { Federated: 'x' } }, 'trust', '"x" is not a principal'],
    [{ Principal: { Service: '*' } }, 'key', '"*" is not a principal'],
    [{ Action: undefined }, 'identity', `${S}: has no Action`],
    [{ Action: undefined }, 'trust', `${S}: has no Action`],
    [{ NotAction: '*' }, 'key', `${S}: has both Action and NotAction`],
    [{ Action: [] }, 'key', `${S}.Action: is empty`],
    [{ Action: 'Encrypt' }, 'key', `${S}.Action: "Encrypt" is not an action`],
    [{ Action: 'kms:' }, 'key', '"kms:" is not an action'],
    [{ Action: ':Encrypt' }, 'key', 'is not an action'],
    [{ Action: 'k*:Encrypt' }, 'key', 'is not an action'],
    [{ Action: 'kms:Encrypt ' }, 'key', 'is not an action'],
    [{ Action: 'kms:En:crypt' }, 'key', 'is not an action'],
    [{ Action: `kms:\${aws:username}` }, 'key', 'is not an action'],
    [{ Action: ['kms:*', null] }, 'key', `${S}.Action: has a value that is not a string`],
    [{ Action: true }, 'key', `${S}.Action: has a value that is not a string`],
    [{ Resource: undefined }, 'identity', `${S}: has no Resource`],
    [{ Resource: '*' }, 'trust', `${S}: may have no Resource in a trust policy`],
    [{ NotResource: '*' }, 'key', `${S}: has both Resource and NotResource`],
    [{ Resource: 'key' }, 'key', `${S}.Resource: "key" is no ARN and not "*"`],
    [{ Resource: 'arn:aws:kms:*' }, 'identity', 'is no ARN'],
    [{ Resource: [] }, 'identity', `${S}.Resource: is empty`],
    [{ Resource: 'xarn:aws:kms:eu:1:x' }, 'identity', 'is no ARN'],
    [{ Resource: 'arn::kms:eu:1:x' }, 'identity', 'is no ARN'],
    [{ Resource: 'arn:aws::eu:1:x' }, 'identity', 'is no ARN'],
    [{ Resource: 'arn:aws:kms:eu:1:' }, 'identity', 'is no ARN'],
    [{ Resource: `arn:aws:kms:*:\${aws:userid}:key/x` }, 'identity', 'before the fifth colon'],
    [{ Resource: `arn:aws:kms:*:*:key/\${x}` }, 'identity', '"x" is not the name of a variable'],
    [{ Resource: `arn:aws:kms:*:*:key/\${aws:x` }, 'identity', 'has a malformed variable'],
    [{ Condition: 'x' }, 'key', `${S}.Condition: is not an object`],
    [{ Condition: { Equals: {} } }, 'key', `${S}.Condition: "Equals" is not an operator`],
    [{ Condition: { stringequals: {} } }, 'key', '"stringequals" is not an operator'],
    [{ Condition: { NullIfExists: {} } }, 'key', '"NullIfExists" is not an operator'],
    [{ Condition: { 'ForAnyValue:Null': {} } }, 'key', 'is not an operator'],
    [{ Condition: { 'ForSomeValue:StringLike': {} } }, 'key', 'is not an operator'],
    [{ Condition: { StringEquals: {} } }, 'key', `${S}.Condition.StringEquals: is empty`],
    [{ Condition: { StringEquals: { a: 'x' } } }, 'key', '"a" is not a condition key'],
    [{ Condition: { StringEquals: { ':a': 'x' } } }, 'key', '":a" is not a condition key'],
    [{ Condition: { StringEquals: { ':a:b': 'x' } } }, 'key', '":a:b" is not a condition key'],
    [{ Condition: { StringEquals: { 'a:': 'x' } } }, 'key', '"a:" is not a condition key'],
    [{ Condition: { StringEquals: { 'a:b': [] } } }, 'key', 'StringEquals.a:b: is empty'],
    [{ Condition: { StringEquals: { 'a:b': null } } }, 'key', 'StringEquals.a:b: has a value'],
    [{ Condition: { StringEquals: { 'a:b': [{}] } } }, 'key', 'has a value that is not a string'],
    [{ Condition: { StringLike: { 'a:b': `\${}` } } }, 'key', 'has a malformed variable'],
    [{ Condition: { ArnLike: { 'a:b': `arn:a:b:c:d:\${}` } } }, 'key', 'has a malformed variable'],
    [{ Condition: { ArnLike: { 'a:b': 'arn:aws' } } }, 'key', '"arn:aws" is not an ARN'],
    [{ Condition: { NumericEquals: { 'a:b': 'ten' } } }, 'key', '"ten" is not a number'],
    [{ Condition: { NumericEquals: { 'a:b': '' } } }, 'key', '"" is not a number'],
    [{ Condition: { DateEquals: { 'a:b': 'today' } } }, 'key', '"today" is not a date'],
    [{ Condition: { Bool: { 'a:b': 'yes' } } }, 'key', '"yes" is no boolean'],
    [{ Condition: { Null: { 'a:b': 'yes' } } }, 'key', '"yes" is no boolean'],
    [{ Condition: { BinaryEquals: { 'a:b': '*' } } }, 'key', '"*" is not base64'],
    [{ Condition: { IpAddress: { 'a:b': '10.0.0.0/33' } } }, 'key', 'is not an IP address'],
    [{ Condition: { IpAddress: { 'a:b': '::ffff:10.0.0.0/95' } } }, 'key', 'is not an IP address'],
    [{ Condition: { IpAddress: { 'a:b': '10.0.0' } } }, 'key', 'is not an IP address'],
    [{ Condition: { IpAddress: { 'a:b': '10.0.0.0/' } } }, 'key', 'is not an IP address'],
    [{ Condition: { IpAddress: { 'a:b': '10.0.0.0/8/8' } } }, 'key', 'is not an IP address'],
    [{ Condition: { IpAddress: { 'a:b': '::/129' } } }, 'key', 'is not an IP address'],
    [
      { Condition: { 'ForAllValues:StringEquals': { 'kms:EncryptionContext:a': 'a' } } },
      'key',
      'Statement.Condition.ForAllValues:StringEquals.kms:EncryptionContext:a: ' +
        'OverlyPermissiveCondition: ForAllValues with a key that has one value matches requests ' +
        'without it too; to fix, remove ForAllValues.',
    ],
    [
      { Condition: { 'ForAllValues:StringLike': { 'AWS:requesttag/a': 'a' } } },
      'key',
      'OverlyPermissiveCondition',
    ],
  ] as [object, PolicyKind, string][])('%j in a %s policy', (rest, kind, message) => {
    expect(wrongWith(rest, kind)).toContain(message)
  })
  test('a Sid that is there twice, but for key policies', () => {
    for (const kind of KINDS) {
      const statement = { ...OF[kind], Sid: 'Same' }
      const found = wrong(JSON.stringify({ Statement: [statement, statement] }), kind)
      if (kind === 'key') expect(found).toBeUndefined()
      else expect(found).toContain('Statement[1].Sid: "Same" is there twice')
    }
  })
  test('no Sid twice, but for empty ones', () => {
    const statement = { ...own, Sid: '' }
    const text = JSON.stringify({ Statement: [statement, own, statement] })
    expect(wrong(text, 'identity')).toBeUndefined()
  })
  test('names the statement', () => {
    const bad = { ...key, Condition: { StringEquals: { 'a:b': [] } } }
    const text = JSON.stringify({ Statement: [key, key, bad] })
    expect(wrong(text, 'key')).toContain('Statement[2].Condition.StringEquals.a:b: is empty.')
  })
})

test('statements are parted by what they do, in their order', () => {
  const denial = { ...own, Effect: 'Deny' }
  const text = JSON.stringify({ Statement: [own, denial, own, denial] })
  const { denials, allowances } = compilePolicy(text, 'identity')
  expect(denials.map(({ index }) => index)).toEqual([1, 3])
  expect(allowances.map(({ index }) => index)).toEqual([0, 2])
})

describe('principals', () => {
  test('that a policy names are listed, each once', () => {
    const statement = {
      ...key,
      Principal: { AWS: [A, `arn:aws:iam::${A}:root`, ALICE, '*', SESSION], Service: SERVICE },
    }
    const not = { ...key, Effect: 'Deny', Principal: undefined, NotPrincipal: { AWS: [APP, B] } }
    const policy = compilePolicy(JSON.stringify({ Statement: [statement, not] }), 'key')
    expect(principalsNamed(policy).toSorted()).toEqual(
      [`arn:aws:iam::${A}:root`, `arn:aws:iam::${B}:root`, ALICE, APP, SESSION, SERVICE].toSorted(),
    )
  })
  test('are named by no policy of their own', () => {
    const policy = compilePolicy(JSON.stringify({ Statement: own }), 'identity')
    expect(principalsNamed(policy)).toEqual([])
  })
  test.each([
    '',
    '**',
    '11112222333',
    '1111222233334',
    'arn:aws:iam::111122223333:roots',
    'xarn:aws:iam::111122223333:root',
    'arn:aws:iam::1:root',
    'arn:aws:iam::1:user/a',
    'xarn:aws:iam::111122223333:user/a',
    'arn:aws:sts::1:assumed-role/app/one',
    'xarn:aws:sts::111122223333:assumed-role/app/one',
    'xAIDAABCDEFGHIJKLMNOP',
    'AIDAABCDEFGHIJKLMNOP-',
    'AIDAABC',
    'arn:aws:iam::*:root',
    'arn:aws:iam::111122223333:user/*',
    'arn:aws:iam::111122223333:user/a?',
    'arn:aws:iam::111122223333:user/',
    'arn:aws:iam::111122223333:user//a',
    'arn:aws:iam::111122223333:group/a',
    'arn:aws:iam:eu:111122223333:user/a',
    'arn:aws:iam::111122223333:user/a b',
    'arn:aws:sts::111122223333:assumed-role/app/*',
    'arn:aws:sts::111122223333:assumed-role/app',
    'arn:aws:sts::111122223333:assumed-role/team/app/one',
    'aidaalice0000001',
    ' arn:aws:iam::111122223333:user/a',
    'arn:aws:iam::111122223333:user/a\n',
    SERVICE,
  ])('%j is none', (text) => {
    expect(wrongWith({ Principal: { AWS: text } })).toContain('is not a principal')
  })
})

describe('P7: sizes', () => {
  test('are those of AWS', () => {
    expect(POLICY_SIZE_MAX).toEqual({
      ...{ key: 32_768, identity: 10_240, trust: 4096, session: 2048, boundary: 6144 },
    })
    expect(wrong(' '.repeat(3000), 'session')).toBe(
      'LimitExceededException: Cannot exceed quota for PolicySize: 2048',
    )
  })
  test.each(KINDS)('of a %s policy', (kind) => {
    const max = POLICY_SIZE_MAX[kind]
    const text = JSON.stringify({ Statement: { ...OF[kind], Sid: 'x' } })
    const ofSize = (size: number) => text.replace('"x"', `"${'x'.repeat(size - text.length + 1)}"`)
    expect(wrong(ofSize(max), kind)).toBeUndefined()
    expect(wrong(ofSize(max + 1), kind)).toContain('LimitExceededException')
    // White space counts where AWS counts it.
    const counted = kind === 'key' || kind === 'session'
    expect(wrong(`${ofSize(max)} \n`, kind) === undefined).toBe(!counted)
  })
  test('of a key policy are bytes', () => {
    const sid = (size: number) => JSON.stringify({ Statement: { ...key, Sid: 'é'.repeat(size) } })
    expect(wrong(sid(16_300), 'key')).toBeUndefined()
    expect(wrong(sid(16_400), 'key')).toContain('LimitExceededException')
  })
  test('of any text are bounded', () => {
    const text = JSON.stringify({ Statement: own })
    expect(wrong(text.padEnd(131_072), 'identity')).toBeUndefined()
    expect(wrong(text.padEnd(131_073), 'identity')).toContain('LimitExceededException')
  })
})

describe('whatever the text, there is a policy or a KmsError', () => {
  const tried = (text: string, kind: PolicyKind) => {
    wrong(text, kind)
  }
  const sound = defaultKeyPolicy(A)
  test('for any text', () => {
    const unit = fc.integer({ min: 0, max: 0x2ff }).map((code) => String.fromCharCode(code))
    const text = fc.string({ unit, maxLength: 200 })
    fc.assert(fc.property(text, fc.constantFrom(...KINDS), tried), { numRuns: casesOf(1000) })
  })
  test('for any JSON', () => {
    const json = fc.oneof(
      fc.json(),
      fc.json().map((each) => `{"Statement": ${each}}`),
    )
    fc.assert(fc.property(json, fc.constantFrom(...KINDS), tried), { numRuns: casesOf(500) })
  })
  test('for policies with something changed', () => {
    const change = fc.tuple(
      fc.nat(sound.length),
      fc.nat(20),
      fc.constantFrom('', '"', '{', '}', '[', ']', ',', ':', '\\', '*', '$', '0', 'null', '\ud800'),
    )
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        let text = sound
        for (const [at, length, put] of changes) {
          text = text.slice(0, at) + put + text.slice(at + length)
        }
        wrong(text, 'key')
      }),
      { numRuns: casesOf(2000) },
    )
  })
  test('for members in odd places', () => {
    const value = fc.oneof(
      fc.constantFrom('*', null, 1, true, {}, []),
      fc.json().map((j) => JSON.parse(j)),
    )
    const member = fc.constantFrom(
      ...['Sid', 'Effect', 'Principal', 'Action', 'Resource', 'Condition', 'NotAction', 'X'],
    )
    fc.assert(
      fc.property(member, value, fc.constantFrom(...KINDS), (name, put, kind) => {
        wrongWith({ [name]: put }, kind)
        wrongWith({ Condition: { [name]: put } }, kind)
        wrongWith({ Condition: { StringLike: { 'a:b': put } } }, kind)
        wrongWith({ Principal: { AWS: put } }, kind)
      }),
      { numRuns: casesOf(300) },
    )
  })
  test('P7: in time that grows with its length only', () => {
    const beganMs = performance.now()
    wrong(`"${'\\"'.repeat(16_000)}`, 'key')
    wrong('['.repeat(32_000), 'key')
    wrong(`{"a":${'9'.repeat(32_000)}`, 'key')
    wrong(`${' '.repeat(32_000)}x`, 'key')
    expect(performance.now() - beganMs).toBeLessThan(5000)
  })
})
