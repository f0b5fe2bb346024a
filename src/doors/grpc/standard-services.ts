/** The services of gRPC's own that stand beside keyslot's, from `proto/grpc`. */

import { loadSync, type ServiceDefinition } from '@grpc/proto-loader'
import { PROTO_DIRECTORY } from '../../contract/contract.ts'

/** The full name of the health service. */
export const HEALTH_SERVICE_NAME = 'grpc.health.v1.Health'
/** The full names of the reflection services. */
export const REFLECTION_SERVICE_NAMES = [
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
] as const

const PROTO_FILES = [
  'grpc/health/v1/health.proto',
  'grpc/reflection/v1/reflection.proto',
  'grpc/reflection/v1alpha/reflection.proto',
]

const LOADED = loadSync(PROTO_FILES, {
  includeDirs: [PROTO_DIRECTORY],
  enums: String,
  defaults: true,
  oneofs: true,
})

/** The definition of a service, by its full name. Fields are in camel case, enums are names. */
export function standardService(fullName: string): ServiceDefinition {
  const found = LOADED[fullName]
  if (!found || 'format' in found) throw new Error(`there is no service ${fullName}`)
  return found as ServiceDefinition
}
