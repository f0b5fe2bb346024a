/**
 * Server reflection: what clients like grpcurl and `buf curl` need to know of the services, from
 * the descriptors that `npm run gen` makes.
 * https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */

import { readFileSync } from 'node:fs'
import { type Server, type ServerDuplexStream, status } from '@grpc/grpc-js'
import { SERVICE_NAMES } from '../../../contract/contract.ts'
import {
  HEALTH_SERVICE_NAME,
  REFLECTION_SERVICE_NAMES,
  standardService,
} from '../standard-services.ts'
import { type Descriptors, filesInSet, indexDescriptors } from './descriptors.ts'

const DESCRIPTOR_SET = new URL('../../../gen/descriptors.binpb', import.meta.url)
const LISTED_NAMES = [...SERVICE_NAMES, HEALTH_SERVICE_NAME, ...REFLECTION_SERVICE_NAMES]

/** A question, as `proto/grpc/reflection/v1` has it. */
interface Question {
  readonly host: string
  /** Which of the questions below it is. */
  readonly messageRequest?: string
  readonly fileByFilename?: string
  readonly fileContainingSymbol?: string
  readonly fileContainingExtension?: {
    readonly containingType: string
    readonly extensionNumber: number
  }
  readonly allExtensionNumbersOfType?: string
}

type Answer =
  | { readonly fileDescriptorResponse: { readonly fileDescriptorProto: readonly Buffer[] } }
  | {
      readonly allExtensionNumbersResponse: {
        readonly baseTypeName: string
        readonly extensionNumber: readonly number[]
      }
    }
  | { readonly listServicesResponse: { readonly service: readonly { readonly name: string }[] } }
  | { readonly errorResponse: { readonly errorCode: number; readonly errorMessage: string } }

type Stream = ServerDuplexStream<Question, object>

/** Adds the reflection services to a server. */
export function addReflection(server: Server): void {
  const descriptors = indexDescriptors(filesInSet(readFileSync(DESCRIPTOR_SET)))
  for (const name of REFLECTION_SERVICE_NAMES) {
    server.addService(standardService(name), {
      serverReflectionInfo: (stream: Stream) => answerAll(stream, descriptors),
    })
  }
}

function answerAll(stream: Stream, descriptors: Descriptors): void {
  stream.on('data', (question: Question) => {
    const answer = answerTo(question, descriptors)
    const more = stream.write({ validHost: question.host, originalRequest: question, ...answer })
    if (more) return
    stream.pause()
    stream.once('drain', () => stream.resume())
  })
  stream.on('end', () => stream.end())
}

function answerTo(question: Question, descriptors: Descriptors): Answer {
  switch (question.messageRequest) {
    case 'fileByFilename':
      return fileAnswer(descriptors.file(question.fileByFilename ?? ''))
    case 'fileContainingSymbol':
      return fileAnswer(descriptors.fileOfSymbol(question.fileContainingSymbol ?? ''))
    case 'fileContainingExtension': {
      const { containingType = '', extensionNumber = 0 } = question.fileContainingExtension ?? {}
      return fileAnswer(descriptors.fileOfExtension(containingType, extensionNumber))
    }
    case 'allExtensionNumbersOfType': {
      const baseTypeName = question.allExtensionNumbersOfType ?? ''
      const extensionNumber = descriptors.extensionNumbers(baseTypeName)
      if (!extensionNumber) return errorAnswer(status.NOT_FOUND, 'There is no such message.')
      return { allExtensionNumbersResponse: { baseTypeName, extensionNumber } }
    }
    case 'listServices':
      return { listServicesResponse: { service: LISTED_NAMES.map((name) => ({ name })) } }
    default:
      return errorAnswer(status.INVALID_ARGUMENT, 'The request asks nothing that is known here.')
  }
}

function fileAnswer(file: Buffer | undefined): Answer {
  if (!file) return errorAnswer(status.NOT_FOUND, 'There is no such file, symbol or extension.')
  return { fileDescriptorResponse: { fileDescriptorProto: [file] } }
}

function errorAnswer(errorCode: number, errorMessage: string): Answer {
  return { errorResponse: { errorCode, errorMessage } }
}
