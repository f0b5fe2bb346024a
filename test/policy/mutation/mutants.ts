/**
 * The mutants of a source file: each is the file with one small fault, such as a reviewer might
 * miss. Types are blanked first, which moves nothing, so that only what runs is changed.
 */

import { stripTypeScriptTypes } from 'node:module'
import { parseAst } from 'rolldown/parseAst'
import { regexFaults } from './regex-faults.ts'

/** A source file with one fault. */
export interface Mutant {
  /** Below `src/policy`. */
  readonly file: string
  /** From 1 on. */
  readonly line: number
  /** The line as it stands in the source. */
  readonly text: string
  /** What is replaced, and by what. */
  readonly was: string
  readonly put: string
  /** The whole file, with the fault, as JavaScript. */
  readonly source: string
}

/** A node of the tree. */
interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [member: string]: unknown
}

/** A change of the text between two places. */
interface Change {
  readonly start: number
  readonly end: number
  readonly put: string
}

const BINARY: Readonly<Record<string, readonly string[]>> = {
  '===': ['!=='],
  '!==': ['==='],
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '<<': ['>>'],
  '>>': ['<<'],
  '&': ['|'],
  '|': ['&'],
  '&&': ['||'],
  '||': ['&&'],
  '??': ['&&'],
  '+=': ['-='],
  '-=': ['+='],
  '&&=': ['||='],
  '??=': ['&&='],
  '++': ['--'],
}

/** Methods, and which others take the same arguments and do something else. */
const METHODS: Readonly<Record<string, string>> = {
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  some: 'every',
  every: 'some',
  toLowerCase: 'toUpperCase',
  indexOf: 'lastIndexOf',
  lastIndexOf: 'indexOf',
}

/** Methods whose call may be left out: the value stays what it was. */
const LEFT_OUT = new Set(['filter', 'slice', 'trim', 'toLowerCase', 'replace', 'replaceAll'])

/** The mutants of a file. */
export function mutantsOf(file: string, typescript: string): Mutant[] {
  const text = stripTypeScriptTypes(typescript, { mode: 'strip' })
  const lines = typescript.split('\n')
  const seen = new Set<string>()
  const mutants: Mutant[] = []
  for (const { start, end, put } of changesBelow(parseAst(text) as unknown as Node, text)) {
    const was = text.slice(start, end)
    const key = `${start} ${end} ${put}`
    if (was === put || seen.has(key)) continue
    seen.add(key)
    const line = text.slice(0, start).split('\n').length
    const source = text.slice(0, start) + put + text.slice(end)
    mutants.push({ file, line, text: (lines[line - 1] ?? '').trim(), was, put, source })
  }
  return mutants
}

function* changesBelow(node: Node, text: string, parent?: Node): Generator<Change> {
  if (node.type === 'ImportDeclaration' || node.type === 'ExportAllDeclaration') return
  yield* CHANGES[node.type]?.(node, text, parent) ?? []
  for (const member of Object.values(node)) {
    for (const child of [member].flat()) {
      if (isNode(child)) yield* changesBelow(child, text, node)
    }
  }
}

function isNode(value: unknown): value is Node {
  return value !== null && typeof value === 'object' && 'type' in value && 'start' in value
}

type Changes = (node: Node, text: string, parent?: Node) => readonly Change[]

/** What may go wrong in a node, by its type. */
const CHANGES: Readonly<Record<string, Changes>> = {
  BinaryExpression: operatorChanges,
  LogicalExpression: operatorChanges,
  AssignmentExpression: operatorChanges,
  UpdateExpression: operatorChanges,
  UnaryExpression: ({ operator, start }) =>
    operator === '!' || operator === '-' ? [{ start, end: start + 1, put: '' }] : [],
  IfStatement: testChanges,
  ConditionalExpression: testChanges,
  WhileStatement: ({ test }) => [replaced(test, 'false')],
  DoWhileStatement: ({ test }) => [replaced(test, 'false')],
  ForStatement: ({ test }) => (test ? [replaced(test, 'false')] : []),
  Literal: literalChanges,
  TemplateLiteral: (node) => [replaced(node, '``')],
  ArrayExpression: (node) => (isEmpty(node.elements) ? [] : [replaced(node, '[]')]),
  ObjectExpression: (node) => (isEmpty(node.properties) ? [] : [replaced(node, '{}')]),
  BlockStatement: (node) => (isEmpty(node.body) ? [] : [replaced(node, '{}')]),
  ExpressionStatement: (node) => [replaced(node, ';')],
  ThrowStatement: (node) => [replaced(node, ';')],
  BreakStatement: (node) => [replaced(node, ';')],
  ContinueStatement: (node) => [replaced(node, ';')],
  ReturnStatement: ({ argument }) => (isLiteral(argument) ? [] : [replaced(argument, 'undefined')]),
  SwitchCase: ({ consequent }) => (consequent as Node[]).map((each) => replaced(each, ';')),
  ArrowFunctionExpression: ({ body }) =>
    (body as Node).type === 'BlockStatement' || isLiteral(body)
      ? []
      : [replaced(body, 'undefined')],
  CallExpression: callChanges,
  MemberExpression: (node, text) => optionalChange(node, node.object, text),
}

function replaced(node: unknown, put: string): Change {
  const { start, end } = node as Node
  return { start, end, put }
}

/** What has faults of its own, or none: `true`, `undefined`. */
function isLiteral(node: unknown): boolean {
  return !isNode(node) || node.type === 'Literal' || node.name === 'undefined'
}

function isEmpty(list: unknown): boolean {
  return (list as readonly unknown[]).length === 0
}

function operatorChanges(node: Node, text: string): Change[] {
  const operator = String(node.operator)
  const left = (node.left ?? node.argument) as Node
  const start = text.indexOf(operator, left.end)
  return (BINARY[operator] ?? []).map((put) => ({ start, end: start + operator.length, put }))
}

function testChanges({ test }: Node): Change[] {
  return [replaced(test, 'true'), replaced(test, 'false')]
}

function literalChanges(node: Node, _text: string, parent?: Node): Change[] {
  // A name of a member, as in { 'key-policy': … }, is no value.
  if (parent?.type === 'Property' && parent.key === node && parent.value !== node) return []
  const { value, regex, bigint } = node
  if (regex) return regexFaults(String(node.raw)).map((put) => replaced(node, put))
  if (bigint) return [replaced(node, `(${node.raw} + 1n)`)]
  if (typeof value === 'boolean') return [replaced(node, String(!value))]
  if (typeof value === 'number') return [replaced(node, `(${node.raw} + 1)`)]
  if (typeof value === 'string') return [replaced(node, value === '' ? "'mutated'" : "''")]
  return []
}

function callChanges(node: Node, text: string): Change[] {
  const callee = node.callee as Node
  const changes = optionalChange(node, callee, text)
  if (callee.type !== 'MemberExpression' || callee.computed === true) return changes
  const property = callee.property as Node
  const name = String(property.name)
  const other = METHODS[name]
  if (other !== undefined) changes.push(replaced(property, other))
  const { end } = callee.object as Node
  if (LEFT_OUT.has(name)) changes.push({ start: end, end: node.end, put: '' })
  return changes
}

/** `a?.b` as `a.b`. */
function optionalChange(node: Node, before: unknown, text: string): Change[] {
  if (node.optional !== true) return []
  const start = text.indexOf('?.', (before as Node).end)
  const isDot = node.type === 'MemberExpression' && node.computed !== true
  return [{ start, end: start + 2, put: isDot ? '.' : '' }]
}
