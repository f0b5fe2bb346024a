/**
 * The messages of server reflection. Its two versions differ by their package alone.
 * https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */

import { fromJSON, type ServiceDefinition } from '@grpc/proto-loader'
import protobuf from 'protobufjs'

/** The full names of the reflection services. */
export const REFLECTION_SERVICE_NAMES = [
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
] as const

/** A question. */
export interface ReflectionRequest {
  readonly host: string
  /** Which of the questions below it is. */
  readonly messageRequest?:
    | 'fileByFilename'
    | 'fileContainingSymbol'
    | 'fileContainingExtension'
    | 'allExtensionNumbersOfType'
    | 'listServices'
  readonly fileByFilename?: string
  readonly fileContainingSymbol?: string
  readonly fileContainingExtension?: {
    readonly containingType: string
    readonly extensionNumber: number
  }
  readonly allExtensionNumbersOfType?: string
  readonly listServices?: string
}

/** What a question is answered with. */
export type ReflectionAnswer =
  | { readonly fileDescriptorResponse: { readonly fileDescriptorProto: readonly Buffer[] } }
  | {
      readonly allExtensionNumbersResponse: {
        readonly baseTypeName: string
        readonly extensionNumber: readonly number[]
      }
    }
  | { readonly listServicesResponse: { readonly service: readonly { readonly name: string }[] } }
  | { readonly errorResponse: { readonly errorCode: number; readonly errorMessage: string } }

/** An answer beside its question. */
export type ReflectionResponse = ReflectionAnswer & {
  readonly validHost: string
  readonly originalRequest: ReflectionRequest
}

const MESSAGES = `
  service ServerReflection {
    rpc ServerReflectionInfo(stream ServerReflectionRequest)
        returns (stream ServerReflectionResponse);
  }
  message ServerReflectionRequest {
    string host = 1;
    oneof message_request {
      string file_by_filename = 3;
      string file_containing_symbol = 4;
      ExtensionRequest file_containing_extension = 5;
      string all_extension_numbers_of_type = 6;
      string list_services = 7;
    }
  }
  message ExtensionRequest {
    string containing_type = 1;
    int32 extension_number = 2;
  }
  message ServerReflectionResponse {
    string valid_host = 1;
    ServerReflectionRequest original_request = 2;
    oneof message_response {
      FileDescriptorResponse file_descriptor_response = 4;
      ExtensionNumberResponse all_extension_numbers_response = 5;
      ListServiceResponse list_services_response = 6;
      ErrorResponse error_response = 7;
    }
  }
  message FileDescriptorResponse {
    repeated bytes file_descriptor_proto = 1;
  }
  message ExtensionNumberResponse {
    string base_type_name = 1;
    repeated int32 extension_number = 2;
  }
  message ListServiceResponse {
    repeated ServiceResponse service = 1;
  }
  message ServiceResponse {
    string name = 1;
  }
  message ErrorResponse {
    int32 error_code = 1;
    string error_message = 2;
  }
`

/** The definition of a reflection service, by its full name; its messages are those above. */
export function reflectionService(fullName: string): ServiceDefinition {
  return definition(fullName, false)
}

/** The same as descriptors show it: under the names that the fields have in proto files. */
export function describedReflectionService(fullName: string): ServiceDefinition {
  return definition(fullName, true)
}

function definition(fullName: string, keepCase: boolean): ServiceDefinition {
  const packageName = fullName.slice(0, fullName.lastIndexOf('.'))
  const text = `syntax = "proto3"; package ${packageName}; ${MESSAGES}`
  const { root } = protobuf.parse(text, { keepCase })
  const found = fromJSON(root.toJSON(), { oneofs: true })[fullName]
  if (!found || 'format' in found) throw new Error(`no service ${fullName}`)
  return found as ServiceDefinition
}
