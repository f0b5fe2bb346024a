/**
 * The server that keyslot is measured against: the same rpcs on the same @grpc/grpc-js with the
 * door's TLS settings, answered as a first program would, with messages of @grpc/proto-loader and
 * nothing behind them. `node echo-server.ts <home>`, where `home` has a development CA; says
 * `gRPC` and its address.
 */

import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { PROTO_DIRECTORY } from '../../src/contract/contract.ts'
import { readTls } from '../../src/doors/tls.ts'

const [home] = process.argv.slice(2)
if (home === undefined) throw new Error('say where the certificates are')

const DATA_KEY = Buffer.alloc(32, 1)
const SIGNATURE = Buffer.alloc(256, 1)
const SUITE = 'ENCRYPTION_ALGORITHM_SPEC_SYMMETRIC_DEFAULT'

interface AnyRequest {
  readonly request: {
    keyId?: string
    plaintext: Buffer
    ciphertextBlob: Buffer
    signingAlgorithm: string
  }
}

type Answer = (error: null, response: object) => void

const rpcs: UntypedServiceImplementation = {
  Encrypt: ({ request }: AnyRequest, answer: Answer) =>
    answer(null, {
      ciphertextBlob: request.plaintext,
      keyId: request.keyId,
      encryptionAlgorithm: SUITE,
    }),
  Decrypt: ({ request }: AnyRequest, answer: Answer) =>
    answer(null, {
      plaintext: request.ciphertextBlob,
      keyId: request.keyId,
      encryptionAlgorithm: SUITE,
    }),
  GenerateDataKey: ({ request }: AnyRequest, answer: Answer) =>
    answer(null, { plaintext: DATA_KEY, ciphertextBlob: DATA_KEY, keyId: request.keyId }),
  Sign: ({ request: { keyId, signingAlgorithm } }: AnyRequest, answer: Answer) =>
    answer(null, { keyId, signature: SIGNATURE, signingAlgorithm }),
}

const loaded = loadPackageDefinition(
  loadSync(join(PROTO_DIRECTORY, 'keyslot/v1/kms.proto'), {
    includeDirs: [PROTO_DIRECTORY],
    enums: String,
    defaults: true,
  }),
)
const { v1 } = loaded.keyslot as unknown as {
  v1: { KeyManagementService: ServiceClientConstructor }
}
const server = new Server({ 'grpc.max_concurrent_streams': 64, 'grpc.enable_channelz': 0 })
server.addService(v1.KeyManagementService.service, rpcs)
const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
const tls = readTls({
  certificate: join(home, 'tls/server.pem'),
  key: join(home, 'tls/server-key.pem'),
  clientCa: join(home, 'tls/ca.pem'),
})
const listener = createServer(
  { ...tls, ALPNProtocols: ['h2'], requestCert: true, rejectUnauthorized: true },
  (socket) => injector.injectConnection(socket),
)
listener.listen(0, '127.0.0.1', () => {
  const { port } = listener.address() as AddressInfo
  process.stdout.write(`gRPC 127.0.0.1:${port}\n`)
})
