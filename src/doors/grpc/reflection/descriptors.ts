/**
 * File descriptors by what they declare. Their bytes are kept as they were compiled, with comments
 * and options.
 */

import protobuf from 'protobufjs'
import descriptor, {
  type IDescriptorProto,
  type IEnumDescriptorProto,
  type IFieldDescriptorProto,
  type IFileDescriptorProto,
} from 'protobufjs/ext/descriptor/index.js'

/** The files, by what is asked for. An answer is the bytes of a FileDescriptorProto. */
export interface Descriptors {
  file(name: string): Buffer | undefined
  /** The file that declares a service, method, message, field, enum, enum value or extension. */
  fileOfSymbol(fullName: string): Buffer | undefined
  fileOfExtension(containingType: string, number: number): Buffer | undefined
  /** The numbers by which a message is extended; `undefined` for no message in the files. */
  extensionNumbers(containingType: string): readonly number[] | undefined
}

/** The files in a FileDescriptorSet, byte for byte. */
export function filesInSet(set: Uint8Array): Buffer[] {
  const files: Buffer[] = []
  const reader = protobuf.Reader.create(set)
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag >>> 3 === 1) files.push(Buffer.from(reader.bytes()))
    else reader.skipType(tag & 7)
  }
  return files
}

/** Indexes files. */
export function indexDescriptors(files: Iterable<Buffer>): Descriptors {
  const byName = new Map<string, Buffer>()
  const bySymbol = new Map<string, Buffer>()
  const byExtension = new Map<string, Map<number, Buffer>>()
  for (const bytes of files) {
    const decoded = descriptor.FileDescriptorProto.decode(bytes) as unknown as IFileDescriptorProto
    byName.set(decoded.name ?? '', bytes)
    for (const symbol of symbolsOf(decoded)) bySymbol.set(symbol, bytes)
    for (const { extendee, number } of extensionsOf(decoded)) {
      const type = withoutDot(extendee ?? '')
      const numbers = byExtension.get(type) ?? new Map()
      byExtension.set(type, numbers.set(number, bytes))
    }
  }
  return {
    file: (name) => byName.get(name),
    fileOfSymbol: (fullName) => bySymbol.get(withoutDot(fullName)),
    fileOfExtension: (type, number) => byExtension.get(withoutDot(type))?.get(number),
    extensionNumbers(type) {
      const numbers = byExtension.get(withoutDot(type))
      if (numbers) return [...numbers.keys()]
      return bySymbol.has(withoutDot(type)) ? [] : undefined
    },
  }
}

function* symbolsOf(file: IFileDescriptorProto): Generator<string> {
  const scope = file.package ? `${file.package}.` : ''
  for (const message of file.messageType ?? []) yield* symbolsOfMessage(message, scope)
  for (const each of file.enumType ?? []) yield* symbolsOfEnum(each, scope)
  for (const extension of file.extension ?? []) yield scope + extension.name
  for (const service of file.service ?? []) {
    yield scope + service.name
    for (const method of service.method ?? []) yield `${scope}${service.name}.${method.name}`
  }
}

function* symbolsOfMessage(message: IDescriptorProto, outer: string): Generator<string> {
  yield outer + message.name
  const scope = `${outer}${message.name}.`
  const named = [message.field, message.oneofDecl, message.extension]
  for (const { name } of named.flatMap((each) => each ?? [])) yield scope + name
  for (const nested of message.nestedType ?? []) yield* symbolsOfMessage(nested, scope)
  for (const each of message.enumType ?? []) yield* symbolsOfEnum(each, scope)
}

/** An enum value stands beside its enum, not within it. */
function* symbolsOfEnum({ name, value }: IEnumDescriptorProto, scope: string): Generator<string> {
  yield scope + name
  for (const each of value ?? []) yield scope + each.name
}

function* extensionsOf(
  scope: Pick<IFileDescriptorProto, 'extension' | 'messageType'> | IDescriptorProto,
): Generator<IFieldDescriptorProto> {
  yield* scope.extension ?? []
  const messages = 'messageType' in scope ? scope.messageType : undefined
  const nested = 'nestedType' in scope ? scope.nestedType : undefined
  for (const message of messages ?? nested ?? []) yield* extensionsOf(message)
}

function withoutDot(fullName: string): string {
  return fullName.startsWith('.') ? fullName.slice(1) : fullName
}
