/**
 * Server reflection: what clients like grpcurl and `buf curl` need to know of the services, from
 * the descriptors that `npm run gen` makes.
 * https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */

import { readFileSync } from 'node:fs'
import { type Server, type ServerDuplexStream, status } from '@grpc/grpc-js'
import { service as healthService } from 'grpc-health-check'
import { SERVICE_NAME } from '../../../contract/contract.ts'
import { HEALTH_SERVICE_NAME } from '../health.ts'
import { type Descriptors, filesInSet, filesOfService, indexDescriptors } from './descriptors.ts'
import {
  describedReflectionService,
  REFLECTION_SERVICE_NAMES,
  type ReflectionAnswer,
  type ReflectionRequest,
  type ReflectionResponse,
  reflectionService,
} from './protocol.ts'

const DESCRIPTOR_SET = new URL('../../../gen/descriptors.binpb', import.meta.url)
const SERVICE_NAMES = [SERVICE_NAME, HEALTH_SERVICE_NAME, ...REFLECTION_SERVICE_NAMES]

/** Adds the reflection services to a server. */
export function addReflection(server: Server): void {
  const descriptors = indexDescriptors([
    ...filesInSet(readFileSync(DESCRIPTOR_SET)),
    ...filesOfService(healthService),
    ...REFLECTION_SERVICE_NAMES.flatMap((name) => filesOfService(describedReflectionService(name))),
  ])
  for (const name of REFLECTION_SERVICE_NAMES) {
    server.addService(reflectionService(name), {
      serverReflectionInfo(call: ServerDuplexStream<ReflectionRequest, ReflectionResponse>) {
        call.on('data', (request: ReflectionRequest) => {
          const answer = answerTo(request, descriptors)
          const more = call.write({ validHost: request.host, originalRequest: request, ...answer })
          if (more) return
          call.pause()
          call.once('drain', () => call.resume())
        })
        call.on('end', () => call.end())
      },
    })
  }
}

function answerTo(request: ReflectionRequest, descriptors: Descriptors): ReflectionAnswer {
  switch (request.messageRequest) {
    case 'fileByFilename':
      return fileAnswer(descriptors.file(request.fileByFilename ?? ''))
    case 'fileContainingSymbol':
      return fileAnswer(descriptors.fileOfSymbol(request.fileContainingSymbol ?? ''))
    case 'fileContainingExtension': {
      const { containingType = '', extensionNumber = 0 } = request.fileContainingExtension ?? {}
      return fileAnswer(descriptors.fileOfExtension(containingType, extensionNumber))
    }
    case 'allExtensionNumbersOfType': {
      const baseTypeName = request.allExtensionNumbersOfType ?? ''
      const extensionNumber = descriptors.extensionNumbers(baseTypeName)
      if (!extensionNumber) return errorAnswer(status.NOT_FOUND, 'There is no such message.')
      return { allExtensionNumbersResponse: { baseTypeName, extensionNumber } }
    }
    case 'listServices':
      return { listServicesResponse: { service: SERVICE_NAMES.map((name) => ({ name })) } }
    default:
      return errorAnswer(status.INVALID_ARGUMENT, 'The request asks nothing that is known here.')
  }
}

function fileAnswer(file: Buffer | undefined): ReflectionAnswer {
  if (!file) return errorAnswer(status.NOT_FOUND, 'There is no such file, symbol or extension.')
  return { fileDescriptorResponse: { fileDescriptorProto: [file] } }
}

function errorAnswer(errorCode: number, errorMessage: string): ReflectionAnswer {
  return { errorResponse: { errorCode, errorMessage } }
}
